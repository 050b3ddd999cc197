//! A file on its way in: counted, typed, hashed and sealed piece by piece, and in the
//! store before any row knows of it.

use std::sync::Arc;

use aws_lc_rs::digest::{Context, SHA256};
use parlour_contracts::id;
use parlour_files::kinds::{self, Group, Kind, TextCheck};

use crate::domain::names;
use crate::error::Error;
use crate::state::Media;
use crate::storage::{Loose, ObjectKey, Writer};

/// A file that has arrived whole.
pub struct Received {
    /// Its object, removed unless a row comes to know it.
    pub object: Arc<Loose>,
    /// The object's key.
    pub key: ObjectKey,
    /// Its cleaned name.
    pub name: String,
    /// What it is.
    pub kind: Kind,
    /// Its size.
    pub size: u64,
    /// SHA-256 of it.
    pub digest: [u8; 32],
    /// Width and height, once it was screened and is a picture.
    pub dimensions: Option<(i32, i32)>,
}

impl Media {
    /// Puts bytes that were made here into the store, as if they had arrived.
    pub async fn keep(&self, kind: Kind, name: &str, bytes: &[u8]) -> Result<Received, Error> {
        let (key, id) = (ObjectKey::new()?, id::new());
        let object = Arc::new(Loose::new(&self.objects, id));
        let mut writer = self.objects.write(id, &key)?;
        writer.push(bytes).await?;
        writer.finish().await?;
        let mut digest = [0; 32];
        digest.copy_from_slice(aws_lc_rs::digest::digest(&SHA256, bytes).as_ref());
        Ok(Received {
            object,
            key,
            name: name.to_owned(),
            kind,
            size: bytes.len() as u64,
            digest,
            dimensions: None,
        })
    }
}

/// A file that is arriving.
pub struct Receiver<'m> {
    media: &'m Media,
    name: String,
    declared: Option<String>,
    key: ObjectKey,
    object: Arc<Loose>,
    writer: Writer,
    /// What came before the type could be told.
    head: Vec<u8>,
    kind: Option<Kind>,
    text: Option<TextCheck>,
    most: u64,
    size: u64,
    context: Context,
}

impl<'m> Receiver<'m> {
    /// Begins to receive a file that calls itself so.
    pub fn new(media: &'m Media, name: &str, declared: Option<String>) -> Result<Self, Error> {
        let key = ObjectKey::new()?;
        let id = id::new();
        Ok(Self {
            media,
            name: names::clean(name),
            declared,
            writer: media.objects.write(id, &key)?,
            object: Arc::new(Loose::new(&media.objects, id)),
            key,
            head: Vec::with_capacity(kinds::HEAD),
            kind: None,
            text: None,
            most: media.settings.most_bytes.any(),
            size: 0,
            context: Context::new(&SHA256),
        })
    }

    /// Takes the next piece. The first byte that is too many, and the first that shows a type
    /// that is not taken, end it.
    pub async fn push(&mut self, piece: &[u8]) -> Result<(), Error> {
        self.size += piece.len() as u64;
        if self.size > self.most {
            return Err(Error::TooLarge(self.most));
        }
        self.context.update(piece);
        if self.kind.is_some() {
            return self.write(piece).await;
        }
        self.head.extend_from_slice(piece);
        if self.head.len() < kinds::HEAD {
            return Ok(());
        }
        self.settle().await
    }

    /// Ends it.
    pub async fn finish(mut self) -> Result<Received, Error> {
        if self.kind.is_none() {
            self.settle().await?;
        }
        let kind = self
            .kind
            .ok_or_else(|| Error::Type("no type that is taken".to_owned()))?;
        if self.text.take().is_some_and(|text| !text.finish()) {
            return Err(Error::Type("the text is not plain UTF-8".to_owned()));
        }
        self.writer.finish().await?;
        let mut digest = [0; 32];
        digest.copy_from_slice(self.context.finish().as_ref());
        Ok(Received {
            object: self.object,
            key: self.key,
            name: self.name,
            kind,
            size: self.size,
            digest,
            dimensions: None,
        })
    }

    /// Tells the type by what has come.
    async fn settle(&mut self) -> Result<(), Error> {
        let kind = kinds::sniff(&self.head).ok_or_else(|| Error::Type("no type that is taken".to_owned()))?;
        if !kind.fits_name(&self.name) {
            return Err(Error::Type(format!(
                "the content is {}, the name says otherwise",
                kind.mime()
            )));
        }
        let declared = self.declared.take();
        if declared.is_some_and(|declared| !kind.fits_mime(&declared)) {
            return Err(Error::Type(format!(
                "the content is {}, the header says otherwise",
                kind.mime()
            )));
        }
        self.most = most(self.media, kind.group());
        if self.size > self.most {
            return Err(Error::TooLarge(self.most));
        }
        self.kind = Some(kind);
        self.text = (kind == Kind::Text).then(TextCheck::new);
        let head = std::mem::take(&mut self.head);
        self.write(&head).await
    }

    async fn write(&mut self, piece: &[u8]) -> Result<(), Error> {
        if self.text.as_mut().is_some_and(|text| !text.feed(piece)) {
            return Err(Error::Type("the text is not plain UTF-8".to_owned()));
        }
        Ok(self.writer.push(piece).await?)
    }
}

/// The largest file of a group.
fn most(media: &Media, group: Group) -> u64 {
    let most = media.settings.most_bytes;
    match group {
        Group::Image => most.image,
        Group::Audio => most.audio,
        Group::Video => most.video,
        Group::Document => most.document,
    }
}
