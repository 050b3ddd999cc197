//! Files that are made of pictures on request. The same request twice is the same file.

use std::sync::Arc;

use parlour_contracts::id;
use parlour_db::{Scope, Tx};
use parlour_events::Batch;
use parlour_files::kinds::Kind;
use parlour_files::picture::{self, Recipe};
use parlour_http::{ApiError, Once, Origin, Reply};
use serde_json::json;
use uuid::Uuid;

use crate::domain::names;
use crate::error::Error;
use crate::receiving::Received;
use crate::state::Media;
use crate::store::derived;
use crate::store::files::{self, File};
use crate::store::renditions::{self, Rendition, VIEW};
use crate::store::{blobs, quotas};
use crate::telling;
use crate::view::FileData;

/// What is asked for.
#[derive(Clone, Debug)]
pub struct Wish {
    /// How it is made.
    pub recipe: Recipe,
    /// The same in words: what tells one derived file of a picture from another.
    pub words: String,
}

impl Media {
    /// Answers 201 with the file that is made so of the caller's picture `id`, the one that is there or a new one.
    pub async fn derive(
        self: Arc<Self>,
        (owner, id): (Uuid, Uuid),
        wish: Wish,
        origin: Origin,
        once: Once,
    ) -> Result<Reply, ApiError> {
        let words = wish.words.clone();
        let work = async move |tx: &mut Tx| -> Result<_, Error> {
            let source = files::find_own(tx, id, owner).await?;
            let made = derived::find(tx, id, &words).await?;
            Ok((blobs::find(tx, source.blob_id).await?, source, made))
        };
        let (blob, source, made) = self.db.read(Scope::Person(owner), work).await?;
        possible(&source)?;
        // What is there already is not made again.
        let received = if made.is_none() {
            Some(Arc::new(self.make(&source, &blob, &wish).await?))
        } else {
            None
        };
        once.write(
            Scope::Person(owner),
            async move |tx: &mut Tx| -> Result<Reply, Error> {
                let file = self
                    .add(tx, (owner, id), &wish, received.as_deref(), &origin)
                    .await?;
                let made = renditions::of_files(tx, &[file.id]).await?;
                let file = self.show_one(&file, &made, Some(owner))?;
                Ok(Reply::created(FileData { file })?)
            },
        )
        .await
    }

    async fn make(&self, source: &File, blob: &blobs::Blob, wish: &Wish) -> Result<Received, Error> {
        let object = self.object(blob)?;
        let bytes = self.read_whole(object.id, &object.key, object.size).await?;
        let (recipe, limits) = (wish.recipe, self.tools.limits);
        let made = self
            .tools
            .workshop
            .run(move || picture::derive(&bytes, recipe, limits))
            .await?;
        let pixels = |side: u32| i32::try_from(side).unwrap_or(i32::MAX);
        let name = format!("{}.{}", stem(&source.name, &wish.words), made.kind.extension());
        let mut received = self.keep(made.kind, &names::clean(&name), &made.bytes).await?;
        received.dimensions = Some((pixels(made.width), pixels(made.height)));
        Ok(received)
    }

    async fn add(
        &self,
        tx: &mut Tx,
        (owner, id): (Uuid, Uuid),
        wish: &Wish,
        received: Option<&Received>,
        origin: &Origin,
    ) -> Result<File, Error> {
        // Two requests of a person for the same are one after the other here.
        let quota = quotas::lock(tx, owner, self.settings.quota_bytes).await?;
        let source = files::lock_own(tx, id, owner).await?;
        possible(&source)?;
        if let Some(file) = derived::find(tx, id, &wish.words).await? {
            return Ok(file);
        }
        // It was deleted just now.
        let Some(received) = received else {
            return Err(ApiError::unavailable().into());
        };
        let blob_id = self.blob(tx, received).await?;
        let held = quotas::hold(tx, owner, blob_id, size_of(received)).await?;
        if held.fresh && held.used > quota.allowed {
            received.object.set_known(false);
            return Err(Error::Quota(quota.allowed));
        }
        let file = self.derived_row(&source, received, wish, blob_id)?;
        files::insert(tx, &file, None).await?;
        // It is made anew already: others see it as it is.
        blobs::reuse(tx, blob_id).await?;
        renditions::add(tx, &view_of(&file, received)).await?;
        let after = json!({ "source": id, "recipe": wish.words, "size": file.size });
        let line = telling::entry(origin, "file.derive", ("file", file.id), (None, Some(after)));
        let news = Batch::default()
            .event(telling::aggregate(file.id), &telling::uploaded(&file))
            .event(telling::aggregate(file.id), &telling::ready(&file));
        news.audit(line).write(tx).await?;
        Ok(file)
    }

    fn derived_row(
        &self,
        source: &File,
        received: &Received,
        wish: &Wish,
        blob_id: Uuid,
    ) -> Result<File, Error> {
        let id = id::new();
        Ok(File {
            id,
            blob_id,
            name: received.name.clone(),
            mime_type: received.kind.mime().to_owned(),
            size: size_of(received),
            purpose: "derived".to_owned(),
            description_sealed: None,
            checksum_sealed: self.vault.seal(&File::checksum_place(id), &received.digest)?,
            session_id: None,
            session_kind: None,
            width: received.dimensions.map(|(width, _)| width),
            height: received.dimensions.map(|(_, height)| height),
            source_id: Some(source.id),
            recipe: Some(wish.words.clone()),
            created_at: self.now(),
            ..source.clone()
        })
    }
}

/// Only of pictures that were found clean.
fn possible(source: &File) -> Result<(), Error> {
    if Kind::of_mime(&source.mime_type).is_none_or(|_| source.kind != "image") {
        return Err(Error::state("kind", &source.kind));
    }
    if source.is_ready() {
        Ok(())
    } else {
        Err(Error::state("status", source.shown_status()))
    }
}

fn size_of(received: &Received) -> i64 {
    i64::try_from(received.size).unwrap_or(i64::MAX)
}

fn view_of(file: &File, received: &Received) -> Rendition {
    let (width, height) = received.dimensions.unwrap_or_default();
    Rendition {
        id: id::new(),
        file_id: file.id,
        name: VIEW.to_owned(),
        blob_id: file.blob_id,
        mime_type: file.mime_type.clone(),
        size: file.size,
        width,
        height,
    }
}

/// `cup.jpg` made `200x100-cover` is called `cup-200x100-cover`.
fn stem(name: &str, words: &str) -> String {
    let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
    let short: String = stem.chars().take(120).collect();
    let words: String = words
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() { c } else { '-' })
        .collect();
    format!("{short}-{words}")
}
