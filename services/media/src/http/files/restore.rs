//! `POST /api/media/files/{id}/restore`

use parlour_db::{Scope, Tx};
use parlour_events::Batch;
use parlour_http::{ApiError, Once, Origin, PathId, RateClass, Reply, Routes, State, Success, User};

use crate::error::Error;
use crate::state::Media;
use crate::store::files;
use crate::telling;
use crate::view::FileData;

/// Registers the route.
pub fn route(routes: Routes) -> Routes {
    routes.add::<__path_restore_file, _, _, _>(RateClass::General, restore_file)
}

/// Brings a deleted file back
///
/// As it was, with those whom it was shared with.
#[utoipa::path(
    post, path = "/api/media/files/{id}/restore", tag = "media",
    params(("id" = uuid::Uuid, Path, description = "The file.")),
    responses(
        (status = 200, description = "The file as it is now.", body = Success<FileData>),
        (status = 409, description = "It is not deleted."),
    )
)]
pub async fn restore_file(
    user: User,
    state: State<Media>,
    origin: Origin,
    PathId(id): PathId,
    once: Once,
) -> Result<Reply, ApiError> {
    let (owner, media) = (user.id, state.0.clone());
    once.write(
        Scope::Person(owner),
        async move |tx: &mut Tx| -> Result<Reply, Error> {
            let mut file = files::lock_own(tx, id, owner).await?;
            let now = media.now();
            match file.deleted_at {
                None => return Err(Error::state("status", &file.status)),
                // A job removes it presently.
                Some(then) if then + media.settings.restore() <= now => return Err(Error::NotFound),
                Some(_) => {}
            }
            files::set_deleted(tx, id, owner, None, now).await?;
            file.deleted_at = None;
            let line = telling::entry(&origin, "file.restore", ("file", id), (None, None));
            let news = Batch::default().event(telling::aggregate(id), &telling::restored(&file));
            news.audit(line).write(tx).await?;
            let mut shown = media.show(tx, &[file], Some(owner)).await?;
            let file = shown.pop().ok_or(Error::NotFound)?;
            Ok(Reply::ok(FileData { file })?)
        },
    )
    .await
}
