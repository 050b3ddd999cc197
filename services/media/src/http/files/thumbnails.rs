//! `GET /api/media/files/{id}/thumbnails`

use parlour_db::Tx;
use parlour_http::{ApiError, PathId, RateClass, Reply, Routes, State, Success, User};
use serde::Serialize;
use utoipa::ToSchema;

use crate::error::Error;
use crate::state::Media;
use crate::store::reading;
use crate::view::ThumbnailView;
use crate::viewer::Viewer;

/// Registers the route.
pub fn route(routes: Routes) -> Routes {
    routes.add::<__path_list_thumbnails, _, _, _>(RateClass::General, list_thumbnails)
}

/// Small pictures of a file.
#[derive(Debug, Serialize, ToSchema)]
pub struct ThumbnailList {
    /// Empty until the file is ready, and for what is no picture.
    pub thumbnails: Vec<ThumbnailView>,
}

/// Thumbnails of a file
#[utoipa::path(
    get, path = "/api/media/files/{id}/thumbnails", tag = "media",
    params(("id" = uuid::Uuid, Path, description = "The file.")),
    responses((status = 200, description = "Three sizes, as WebP and JPEG.", body = Success<ThumbnailList>))
)]
pub async fn list_thumbnails(user: User, state: State<Media>, PathId(id): PathId) -> Result<Reply, ApiError> {
    let viewer = Viewer::from(&*user);
    let media = state.0.clone();
    let work = async move |tx: &mut Tx| -> Result<Vec<ThumbnailView>, Error> {
        let file = reading::find(tx, id, viewer, media.now()).await?;
        let shown = media.show(tx, &[file], Some(viewer.id)).await?;
        Ok(shown
            .into_iter()
            .next()
            .map(|file| file.thumbnails)
            .unwrap_or_default())
    };
    let thumbnails = state.db.read(viewer.scope(), work).await?;
    Reply::ok(ThumbnailList { thumbnails })
}
