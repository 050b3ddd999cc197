//! `POST /api/media/files/{id}/copy`

use std::sync::Arc;

use parlour_contracts::id;
use parlour_db::{Scope, Tx};
use parlour_events::Batch;
use parlour_http::{
    ApiError, Check, JsonOrDefault, Once, Origin, PathId, Problems, RateClass, Reply, Routes, State, Success,
    User,
};
use serde::Deserialize;
use serde_json::json;
use utoipa::ToSchema;

use crate::domain::names;
use crate::error::Error;
use crate::state::Media;
use crate::store::files::{self, File};
use crate::store::renditions::{self, Rendition};
use crate::store::{blobs, quotas};
use crate::telling;
use crate::view::FileData;

/// Registers the route.
pub fn route(routes: Routes) -> Routes {
    routes.add::<__path_copy_file, _, _, _>(RateClass::General, copy_file)
}

/// What is different about the copy.
#[derive(Debug, Default, Deserialize, ToSchema)]
pub struct CopyFile {
    /// The original's when left out.
    #[schema(min_length = 1, max_length = 200)]
    pub name: Option<String>,
    /// The original's when left out.
    #[schema(max_length = 200)]
    pub folder: Option<String>,
}

impl Check for CopyFile {
    fn check(&self, problems: &mut Problems) {
        let fine = self
            .folder
            .as_deref()
            .is_none_or(|folder| names::folder(folder).is_some());
        problems.require(fine, "folder", "is not a folder");
    }
}

/// Copies a file
///
/// The copy is a file of its own with the same bytes; it costs nothing.
#[utoipa::path(
    post, path = "/api/media/files/{id}/copy", tag = "media", request_body = CopyFile,
    params(("id" = uuid::Uuid, Path, description = "The file.")),
    responses((status = 201, description = "The copy.", body = Success<FileData>))
)]
pub async fn copy_file(
    user: User,
    state: State<Media>,
    origin: Origin,
    PathId(id): PathId,
    JsonOrDefault(body): JsonOrDefault<CopyFile>,
    once: Once,
) -> Result<Reply, ApiError> {
    let (owner, media) = (user.id, state.0.clone());
    once.write(
        Scope::Person(owner),
        async move |tx: &mut Tx| -> Result<Reply, Error> {
            let original = files::lock_own(tx, id, owner).await?;
            if original.deleted_at.is_some() || original.status == "quarantined" {
                return Err(Error::state("status", original.shown_status()));
            }
            let (file, made) = copy(&media, tx, &original, body).await?;
            let after = json!({ "copy_of": id });
            let line = telling::entry(&origin, "file.copy", ("file", file.id), (None, Some(after)));
            let mut news = Batch::default().event(telling::aggregate(file.id), &telling::uploaded(&file));
            if file.is_ready() {
                news = news.event(telling::aggregate(file.id), &telling::ready(&file));
            }
            news.audit(line).write(tx).await?;
            let file = media.show_one(&file, &made, Some(owner))?;
            Ok(Reply::created(FileData { file })?)
        },
    )
    .await
}

async fn copy(
    media: &Arc<Media>,
    tx: &mut Tx,
    original: &File,
    body: CopyFile,
) -> Result<(File, Vec<Rendition>), Error> {
    let mut file = original.clone();
    file.id = id::new();
    if let Some(name) = body.name {
        file.name = names::clean(&name);
    }
    if let Some(folder) = body.folder.as_deref().and_then(names::folder) {
        file.folder = folder;
    }
    // It is nobody's avatar, nothing that was sent, and made of nothing else.
    "file".clone_into(&mut file.purpose);
    (file.session_id, file.session_kind, file.source_id, file.recipe) = (None, None, None, None);
    file.created_at = media.now();
    if let Some(sealed) = &original.description_sealed {
        let text = media
            .vault
            .open_text(&File::description_place(original.id), sealed)?;
        file.description_sealed = Some(media.vault.seal_text(&File::description_place(file.id), &text)?);
    }
    let digest = media
        .vault
        .open(&File::checksum_place(original.id), &original.checksum_sealed)?;
    file.checksum_sealed = media.vault.seal(&File::checksum_place(file.id), &digest)?;
    quotas::lock(tx, file.owner_id, media.settings.quota_bytes).await?;
    blobs::reuse(tx, file.blob_id).await?;
    quotas::hold(tx, file.owner_id, file.blob_id, file.size).await?;
    let due_at = (file.status == "pending").then_some(file.created_at);
    files::insert(tx, &file, due_at).await?;
    let mut made = renditions::of_files(tx, &[original.id]).await?;
    for rendition in &mut made {
        rendition.id = id::new();
        rendition.file_id = file.id;
        blobs::reuse(tx, rendition.blob_id).await?;
        renditions::add(tx, rendition).await?;
    }
    Ok((file, made))
}
