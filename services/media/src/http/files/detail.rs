//! `GET /api/media/files/{id}`

use parlour_db::Tx;
use parlour_http::{ApiError, PathId, RateClass, Reply, Routes, State, Success, User};

use crate::error::Error;
use crate::state::Media;
use crate::store::reading;
use crate::view::{FileData, FileView};
use crate::viewer::Viewer;

/// Registers the route.
pub fn route(routes: Routes) -> Routes {
    routes.add::<__path_one_file, _, _, _>(RateClass::General, one_file)
}

/// One file
///
/// The caller's own, whatever its state, or one that is shared with them: by its owner, in a
/// conversation, or as the result of an order.
#[utoipa::path(
    get, path = "/api/media/files/{id}", tag = "media",
    params(("id" = uuid::Uuid, Path, description = "The file.")),
    responses((status = 200, description = "The file.", body = Success<FileData>))
)]
pub async fn one_file(user: User, state: State<Media>, PathId(id): PathId) -> Result<Reply, ApiError> {
    let viewer = Viewer::from(&*user);
    let media = state.0.clone();
    let work = async move |tx: &mut Tx| -> Result<Option<FileView>, Error> {
        let file = reading::find(tx, id, viewer, media.now()).await?;
        Ok(media.show(tx, &[file], Some(viewer.id)).await?.pop())
    };
    let file = state.db.read(viewer.scope(), work).await?;
    let file = file.ok_or_else(ApiError::not_found)?;
    Reply::ok(FileData { file })
}
