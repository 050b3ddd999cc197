//! `PUT /api/media/files/{id}` and `POST /api/media/files/{id}/move`

use std::sync::Arc;

use parlour_db::{Scope, Tx};
use parlour_events::audit;
use parlour_http::{
    ApiError, Check, Json, Once, Origin, PathId, Problems, RateClass, Reply, Routes, State, Success, User,
};
use serde::Deserialize;
use serde_json::json;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::domain::names;
use crate::error::Error;
use crate::state::Media;
use crate::store::files::{self, File};
use crate::telling;
use crate::view::FileData;

/// Registers the routes.
pub fn routes(routes: Routes) -> Routes {
    let routes = routes.add::<__path_update_file, _, _, _>(RateClass::General, update_file);
    routes.add::<__path_move_file, _, _, _>(RateClass::General, move_file)
}

/// What is to be different; what is left out stays.
#[derive(Debug, Default, Deserialize, ToSchema)]
pub struct UpdateFile {
    /// Cleaned as at the upload.
    #[schema(min_length = 1, max_length = 200)]
    pub name: Option<String>,
    /// Empty for none.
    #[schema(max_length = 2000)]
    pub description: Option<String>,
    /// Such as `cups/2026`; empty for none.
    #[schema(max_length = 200)]
    pub folder: Option<String>,
}

impl Check for UpdateFile {
    fn check(&self, problems: &mut Problems) {
        check_folder(self.folder.as_deref(), problems);
    }
}

fn check_folder(folder: Option<&str>, problems: &mut Problems) {
    let fine = folder.is_none_or(|folder| names::folder(folder).is_some());
    problems.require(fine, "folder", "is not a folder");
}

/// Where to.
#[derive(Debug, Deserialize, ToSchema)]
pub struct MoveFile {
    /// Such as `cups/2026`; empty for none.
    #[schema(max_length = 200)]
    pub folder: String,
}

impl Check for MoveFile {
    fn check(&self, problems: &mut Problems) {
        check_folder(Some(&self.folder), problems);
    }
}

/// Changes a file's name, description or folder
#[utoipa::path(
    put, path = "/api/media/files/{id}", tag = "media", request_body = UpdateFile,
    params(("id" = Uuid, Path, description = "The file.")),
    responses((status = 200, description = "The file as it is now.", body = Success<FileData>))
)]
pub async fn update_file(
    user: User,
    state: State<Media>,
    origin: Origin,
    PathId(id): PathId,
    Json(body): Json<UpdateFile>,
) -> Result<Reply, ApiError> {
    let (owner, media) = (user.id, state.0.clone());
    let work = async move |tx: &mut Tx| -> Result<Reply, Error> {
        change(&media, tx, id, owner, body, &origin).await
    };
    Ok(state.db.write(Scope::Person(owner), work).await?)
}

/// Moves a file to a folder
#[utoipa::path(
    post, path = "/api/media/files/{id}/move", tag = "media", request_body = MoveFile,
    params(("id" = Uuid, Path, description = "The file.")),
    responses((status = 200, description = "The file as it is now.", body = Success<FileData>))
)]
pub async fn move_file(
    user: User,
    state: State<Media>,
    origin: Origin,
    PathId(id): PathId,
    Json(body): Json<MoveFile>,
    once: Once,
) -> Result<Reply, ApiError> {
    let (owner, media) = (user.id, state.0.clone());
    let body = UpdateFile {
        folder: Some(body.folder),
        ..UpdateFile::default()
    };
    once.write(
        Scope::Person(owner),
        async move |tx: &mut Tx| -> Result<Reply, Error> {
            change(&media, tx, id, owner, body, &origin).await
        },
    )
    .await
}

async fn change(
    media: &Arc<Media>,
    tx: &mut Tx,
    id: Uuid,
    owner: Uuid,
    body: UpdateFile,
    origin: &Origin,
) -> Result<Reply, Error> {
    let mut file = files::lock_own(tx, id, owner).await?;
    if file.deleted_at.is_some() {
        return Err(Error::state("status", "deleted"));
    }
    let mut changed = Vec::new();
    if let Some(name) = body.name {
        file.name = names::clean(&name);
        changed.push("name");
    }
    if let Some(folder) = body.folder.as_deref().and_then(names::folder) {
        file.folder = folder;
        changed.push("folder");
    }
    if let Some(text) = body.description {
        let place = File::description_place(id);
        let sealed = (!text.is_empty()).then(|| media.vault.seal_text(&place, &text));
        file.description_sealed = sealed.transpose()?;
        changed.push("description");
    }
    files::describe(tx, &file, media.now()).await?;
    let after = json!({ "changed": changed });
    audit(
        tx,
        telling::entry(origin, "file.update", ("file", id), (None, Some(after))),
    )
    .await?;
    let mut shown = media.show(tx, &[file], Some(owner)).await?;
    let file = shown.pop().ok_or(Error::NotFound)?;
    Ok(Reply::ok(FileData { file })?)
}
