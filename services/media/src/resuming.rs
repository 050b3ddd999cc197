//! Uploads that are sent in pieces. Each piece is an object of its own; when all are there,
//! they are read as one and become a file like any other.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use aws_lc_rs::digest::{Context, SHA1_FOR_LEGACY_USE_ONLY, SHA256};
use bytes::Bytes;
use chrono::{DateTime, Duration, Utc};
use parlour_contracts::id;
use parlour_db::{Scope, Tx};
use parlour_http::Origin;
use tokio::sync::mpsc::Receiver as Pieces;
use uuid::Uuid;

use crate::domain::tus::{Algorithm, Checksum, Metadata};
use crate::error::Error;
use crate::receiving::{Received, Receiver};
use crate::state::Media;
use crate::storage::{Loose, ObjectKey};
use crate::store::blobs;
use crate::store::uploads::{self, Upload, UploadPart};
use crate::storing::About;

/// How long somebody has an upload to themselves before they have to say that they are still there.
const LEASE: Duration = Duration::seconds(30);
/// How often they say it.
const RENEWAL: std::time::Duration = std::time::Duration::from_secs(10);

/// What is appended to an upload.
pub struct Append {
    /// The upload, as it was found.
    pub upload: Upload,
    /// What the piece is checked by.
    pub checksum: Option<Checksum>,
    /// Who sends it.
    pub origin: Origin,
}

/// What comes of a body.
pub enum Piece {
    /// Some of it.
    Bytes(Bytes),
    /// It has arrived whole. Without this it was cut.
    End,
}

impl Media {
    /// Appends what comes out of `pieces`, and makes a file of the upload when it is complete.
    /// Answers how much has arrived. What arrived before a cut is kept, unless it was to be
    /// checked. Runs to its end even when nobody waits for it any more.
    pub async fn append(self: Arc<Self>, append: Append, pieces: Pieces<Piece>) -> Result<i64, Error> {
        let (id, lock) = (append.upload.id, id::new());
        let (offset, now) = (append.upload.received, self.now());
        let work = async move |tx: &mut Tx| -> Result<bool, Error> {
            Ok(uploads::lock(tx, id, offset, lock, now, now + LEASE).await?)
        };
        if !self.db.write(Scope::Service, work).await? {
            return Err(Error::Locked);
        }
        let received = self.receive_piece(&append, lock, pieces).await;
        let work = async move |tx: &mut Tx| -> Result<(), Error> { Ok(uploads::unlock(tx, id, lock).await?) };
        self.db.write(Scope::Service, work).await?;
        let offset = append.upload.received + received?;
        if offset == append.upload.length {
            match self.finish_as(id, append.origin).await {
                // Another process was faster, or the job is.
                Ok(()) | Err(Error::Locked) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(offset)
    }

    async fn receive_piece(
        &self,
        append: &Append,
        lock: Uuid,
        mut pieces: Pieces<Piece>,
    ) -> Result<i64, Error> {
        let upload = &append.upload;
        let room = upload.length - upload.received;
        let key = ObjectKey::new()?;
        let object = Loose::new(&self.objects, id::new());
        let mut writer = self.objects.write(object.id(), &key)?;
        let mut context = append
            .checksum
            .as_ref()
            .map(|checksum| context(checksum.algorithm));
        let (mut size, mut whole, mut renewed) = (0, false, tokio::time::Instant::now());
        while let Some(piece) = pieces.recv().await {
            let Piece::Bytes(bytes) = piece else {
                whole = true;
                break;
            };
            size += i64::try_from(bytes.len()).unwrap_or(i64::MAX);
            if size > room {
                return Err(Error::TooLarge(u64::try_from(upload.length).unwrap_or_default()));
            }
            if let Some(context) = &mut context {
                context.update(&bytes);
            }
            writer.push(&bytes).await?;
            if renewed.elapsed() > RENEWAL {
                self.renew(upload.id, lock).await?;
                renewed = tokio::time::Instant::now();
            }
        }
        if let (Some(context), Some(checksum)) = (context, &append.checksum)
            && (!whole || context.finish().as_ref() != checksum.digest)
        {
            return Err(Error::Checksum);
        }
        if size == 0 {
            return Ok(0);
        }
        writer.finish().await?;
        let part = UploadPart {
            start: upload.received,
            size,
            object_id: object.id(),
            key_sealed: self.vault.seal(&blobs::key_place(object.id()), key.as_bytes())?,
        };
        self.write_piece(upload.id, lock, part, object).await?;
        Ok(size)
    }

    async fn renew(&self, id: Uuid, lock: Uuid) -> Result<(), Error> {
        let until = self.now() + LEASE;
        let work = async move |tx: &mut Tx| -> Result<bool, Error> {
            Ok(uploads::renew(tx, id, lock, until).await?)
        };
        if self.db.write(Scope::Service, work).await? {
            Ok(())
        } else {
            Err(Error::Locked)
        }
    }

    async fn write_piece(&self, id: Uuid, lock: Uuid, part: UploadPart, object: Loose) -> Result<(), Error> {
        // It may be committed from here on, whatever this process hears of it.
        let work = async move |tx: &mut Tx| -> Result<(), Error> {
            if !uploads::append(tx, id, lock, &part).await? {
                return Err(Error::Locked);
            }
            object.set_known(true);
            Ok(())
        };
        self.db.write(Scope::Service, work).await
    }

    /// Makes a file of an upload that has arrived whole, on nobody's request.
    pub async fn finish_upload(&self, id: Uuid) -> Result<(), Error> {
        let nobody = Origin {
            actor: None,
            address: IpAddr::V4(Ipv4Addr::UNSPECIFIED),
            request_id: String::new(),
            user_agent: String::new(),
        };
        self.finish_as(id, nobody).await
    }

    async fn finish_as(&self, id: Uuid, origin: Origin) -> Result<(), Error> {
        let (lock, now) = (id::new(), self.now());
        // Reading, decoding and scanning fifty megabytes takes seconds; a minute has room.
        let until: DateTime<Utc> = now + LEASE * 4;
        let work = async move |tx: &mut Tx| -> Result<(Upload, Vec<UploadPart>), Error> {
            let upload = uploads::find_any(tx, id, now).await?;
            if !uploads::lock(tx, id, upload.length, lock, now, until).await? {
                return Err(Error::Locked);
            }
            Ok((upload, uploads::parts(tx, id).await?))
        };
        let (upload, parts) = self.db.write(Scope::Service, work).await?;
        let stored = match self.assemble(&upload, &parts).await {
            Ok((received, metadata)) => self.store_upload(&upload, lock, received, metadata, origin).await,
            Err(error) => Err(error),
        };
        let kept = matches!(stored, Ok(()) | Err(Error::Locked));
        let refused = matches!(
            stored,
            Err(Error::Type(_) | Error::TooLarge(_) | Error::Infected | Error::Quota(_))
        );
        let work = async move |tx: &mut Tx| -> Result<Vec<Uuid>, Error> {
            if refused {
                return Ok(uploads::delete(tx, id, Some(lock)).await?);
            }
            uploads::unlock(tx, id, lock).await?;
            Ok(Vec::new())
        };
        if !kept {
            let objects = self.db.write(Scope::Service, work).await?;
            self.delete_objects(&objects).await;
        }
        stored
    }

    /// Reads all pieces as one file.
    async fn assemble(&self, upload: &Upload, parts: &[UploadPart]) -> Result<(Received, Metadata), Error> {
        let metadata = self.metadata(upload)?;
        let mut receiver = Receiver::new(self, &metadata.name, metadata.declared.clone())?;
        for part in parts {
            let key = self
                .vault
                .open(&blobs::key_place(part.object_id), &part.key_sealed)?;
            let size = u64::try_from(part.size).unwrap_or_default();
            let key = ObjectKey::from_bytes(&key)?;
            let mut plain = self.objects.read(part.object_id, &key, size, 0..size).await?;
            while let Some(piece) = plain.next().await? {
                receiver.push(&piece).await?;
            }
        }
        Ok((self.screened(receiver.finish().await?).await?, metadata))
    }

    /// What the sender of an upload says of it.
    pub fn metadata(&self, upload: &Upload) -> Result<Metadata, Error> {
        let Some(sealed) = &upload.metadata_sealed else {
            return Ok(Metadata::default());
        };
        let header = self.vault.open_text(&Upload::metadata_place(upload.id), sealed)?;
        Metadata::parse(&header).map_err(|problem| Error::field("Upload-Metadata", problem))
    }

    async fn store_upload(
        &self,
        upload: &Upload,
        lock: Uuid,
        received: Received,
        metadata: Metadata,
        origin: Origin,
    ) -> Result<(), Error> {
        let about = About {
            id: upload.id,
            owner: upload.owner_id,
            purpose: "file",
            folder: metadata.folder,
            description: metadata.description,
            ..About::default()
        };
        let media = self.clone();
        let work = async move |tx: &mut Tx| -> Result<Vec<Uuid>, Error> {
            let objects = uploads::delete(tx, about.id, Some(lock)).await?;
            if objects.is_empty() {
                return Err(Error::Locked);
            }
            media.store(tx, &received, &about, &origin).await?;
            Ok(objects)
        };
        let objects = self.db.write(Scope::Service, work).await?;
        self.delete_objects(&objects).await;
        Ok(())
    }
}

fn context(algorithm: Algorithm) -> Context {
    Context::new(match algorithm {
        Algorithm::Sha1 => &SHA1_FOR_LEGACY_USE_ONLY,
        Algorithm::Sha256 => &SHA256,
    })
}
