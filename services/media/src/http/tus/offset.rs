//! `HEAD /api/media/tus/{id}`

use actix_web::HttpResponse;
use parlour_db::{DbError, Scope, Tx};
use parlour_http::{ApiError, Head, PathId, RateClass, Routes, State, User};
use uuid::Uuid;

use super::{RESUMABLE, VERSION, check_version, http_date, named};
use crate::error::Error;
use crate::state::Media;
use crate::store::uploads::Upload;
use crate::store::{files, uploads};

/// Registers the route.
pub fn route(routes: Routes) -> Routes {
    routes.add::<__path_tus_offset, _, _, _>(RateClass::General, tus_offset)
}

/// How far an upload is
enum Found {
    Open(Box<Upload>),
    /// It is a file of this size.
    Complete(i64),
}

/// How far an upload has come
///
/// Of one that is complete, and so is a file with the same id, all of it.
#[utoipa::path(
    head, path = "/api/media/tus/{id}", tag = "media",
    params(
        ("id" = Uuid, Path, description = "The upload."),
        ("Tus-Resumable" = String, Header, description = "1.0.0"),
    ),
    responses(
        (status = 200, description = "In the headers Upload-Offset and Upload-Length."),
        (status = 412, description = "Another version of the protocol."),
    )
)]
pub async fn tus_offset(
    user: User,
    state: State<Media>,
    PathId(id): PathId,
    head: Head,
) -> Result<HttpResponse, ApiError> {
    check_version(&head)?;
    let (owner, now) = (user.id, state.now());
    let work = async move |tx: &mut Tx| -> Result<Found, Error> { find(tx, id, owner, now).await };
    let found = state.db.read(Scope::Person(owner), work).await.map_err(named)?;
    let mut response = HttpResponse::Ok();
    response.insert_header((RESUMABLE, VERSION));
    response.insert_header(("cache-control", "no-store"));
    match found {
        Found::Open(upload) => {
            response.insert_header(("upload-offset", upload.received.to_string()));
            response.insert_header(("upload-length", upload.length.to_string()));
            response.insert_header(("upload-expires", http_date(upload.expires_at)));
            if let Some(sealed) = &upload.metadata_sealed {
                let place = Upload::metadata_place(id);
                let metadata = state
                    .vault
                    .open_text(&place, sealed)
                    .map_err(|error| named(Error::from(error)))?;
                response.insert_header(("upload-metadata", metadata));
            }
        }
        Found::Complete(size) => {
            response.insert_header(("upload-offset", size.to_string()));
            response.insert_header(("upload-length", size.to_string()));
        }
    }
    Ok(response.finish())
}

async fn find(
    tx: &mut Tx,
    id: Uuid,
    owner: Uuid,
    now: chrono::DateTime<chrono::Utc>,
) -> Result<Found, Error> {
    match uploads::find(tx, id, owner, now).await.map_err(DbError::from) {
        Ok(upload) => Ok(Found::Open(Box::new(upload))),
        Err(DbError::NotFound) => {
            let file = files::find_own(tx, id, owner).await?;
            Ok(Found::Complete(file.size))
        }
        Err(error) => Err(error.into()),
    }
}
