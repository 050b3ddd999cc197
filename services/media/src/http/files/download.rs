//! `GET /api/media/files/{id}/download` and `…/stream`

use actix_web::HttpResponse;
use parlour_db::{Conn, DbError};
use parlour_http::{ApiError, Head, PathId, RateClass, Routes, State, User};
use uuid::Uuid;

use crate::error::Error;
use crate::http::FileBytes;
use crate::serving::Show;
use crate::state::Media;
use crate::store::reading;
use crate::viewer::Viewer;

/// Registers the routes.
pub fn routes(routes: Routes) -> Routes {
    let routes = routes.add::<__path_download, _, _, _>(RateClass::General, download);
    routes.add::<__path_stream, _, _, _>(RateClass::General, stream)
}

/// The bytes of a file, to be saved
///
/// With `ETag`, `Last-Modified` and ranges. Others than its owner get a picture that was
/// made anew, without metadata.
#[utoipa::path(
    get, path = "/api/media/files/{id}/download", tag = "media",
    params(("id" = Uuid, Path, description = "The file.")),
    responses(FileBytes)
)]
pub async fn download(
    user: User,
    state: State<Media>,
    PathId(id): PathId,
    head: Head,
) -> Result<HttpResponse, ApiError> {
    open(&user, &state, id, &head, Show::Saved).await
}

/// The bytes of a picture or recording, to be played
///
/// As `download`, and fit to be shown by a browser.
#[utoipa::path(
    get, path = "/api/media/files/{id}/stream", tag = "media",
    params(("id" = Uuid, Path, description = "The file.")),
    responses(FileBytes)
)]
pub async fn stream(
    user: User,
    state: State<Media>,
    PathId(id): PathId,
    head: Head,
) -> Result<HttpResponse, ApiError> {
    open(&user, &state, id, &head, Show::Inline).await
}

async fn open(
    user: &User,
    state: &State<Media>,
    id: Uuid,
    head: &Head,
    show: Show,
) -> Result<HttpResponse, ApiError> {
    let (viewer, now) = (Viewer::from(&**user), state.now());
    let opened = state
        .db
        .fetch(viewer.scope(), async move |conn: &Conn| {
            reading::open(conn, id, viewer, now).await.map_err(DbError::from)
        })
        .await?;
    if opened.status == "quarantined" {
        return Err(Error::state("status", "quarantined").into());
    }
    state.0.serve(head, opened, show).await
}
