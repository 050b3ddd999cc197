//! `DELETE /api/media/files/{id}`

use parlour_db::{Scope, Tx};
use parlour_events::Batch;
use parlour_http::{ApiError, Origin, PathId, RateClass, Reply, Routes, State, Success, User};
use serde_json::json;

use crate::error::Error;
use crate::state::Media;
use crate::store::files;
use crate::telling;
use crate::view::FileData;

/// Registers the route.
pub fn route(routes: Routes) -> Routes {
    routes.add::<__path_delete_file, _, _, _>(RateClass::General, delete_file)
}

/// Deletes a file
///
/// Nobody can read it any more. Its owner can bring it back for thirty days, and it counts
/// against their quota until then.
#[utoipa::path(
    delete, path = "/api/media/files/{id}", tag = "media",
    params(("id" = uuid::Uuid, Path, description = "The file.")),
    responses(
        (status = 200, description = "The file as it is now.", body = Success<FileData>),
        (status = 409, description = "It is deleted already."),
    )
)]
pub async fn delete_file(
    user: User,
    state: State<Media>,
    origin: Origin,
    PathId(id): PathId,
) -> Result<Reply, ApiError> {
    let (owner, media) = (user.id, state.0.clone());
    let work = async move |tx: &mut Tx| -> Result<Reply, Error> {
        let mut file = files::lock_own(tx, id, owner).await?;
        if file.deleted_at.is_some() {
            return Err(Error::state("status", "deleted"));
        }
        let (before, now) = (json!({ "status": file.status }), media.now());
        files::set_deleted(tx, id, owner, Some(now), now).await?;
        file.deleted_at = Some(now);
        let line = telling::entry(&origin, "file.delete", ("file", id), (Some(before), None));
        let news = Batch::default().event(telling::aggregate(id), &telling::deleted(&file));
        news.audit(line).write(tx).await?;
        let file = media.show_one(&file, &[], Some(owner))?;
        Ok(Reply::ok(FileData { file })?)
    };
    Ok(state.db.write(Scope::Person(owner), work).await?)
}
