//! `PATCH /api/media/tus/{id}`

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use parlour_db::{Scope, Tx};
use parlour_http::{ApiError, Arriving, Head, Origin, PathId, RateClass, Routes, State, User, code};
use tokio::sync::mpsc;
use uuid::Uuid;

use super::{RESUMABLE, VERSION, check_version, http_date, named, number};
use crate::domain::tus::Checksum;
use crate::error::Error;
use crate::resuming::{Append, Piece};
use crate::state::Media;
use crate::store::uploads::{self, Upload};

/// The most pieces that an upload may come in.
const MOST_PARTS: i32 = 5_000;
/// Pieces of a body that wait to be written.
const WAITING: usize = 4;

/// Registers the route.
pub fn route(routes: Routes) -> Routes {
    routes.add::<__path_tus_append, _, _, _>(RateClass::General, tus_append)
}

/// Appends to an upload
///
/// At `Upload-Offset`, which has to be as far as the upload has come. What arrives before the
/// connection breaks is kept. With the last byte it becomes a file, or is refused as one.
#[utoipa::path(
    patch, path = "/api/media/tus/{id}", tag = "media",
    request_body(content = Vec<u8>, content_type = "application/offset+octet-stream"),
    params(
        ("id" = Uuid, Path, description = "The upload."),
        ("Tus-Resumable" = String, Header, description = "1.0.0"),
        ("Upload-Offset" = i64, Header, description = "As far as the upload has come."),
        ("Upload-Checksum" = Option<String>, Header, description = "`sha1` or `sha256` and the digest in base64."),
    ),
    responses(
        (status = 204, description = "How far it is now, in the header Upload-Offset."),
        (status = 409, description = "It has not come to that offset."),
        (status = 412, description = "Another version of the protocol."),
        (status = 422, description = "It is complete, and harmful."),
        (status = 423, description = "Somebody else is appending."),
        (status = 460, description = "The bytes are not those that were announced."),
    )
)]
pub async fn tus_append(
    user: User,
    state: State<Media>,
    origin: Origin,
    PathId(id): PathId,
    head: Head,
    body: Arriving,
) -> Result<HttpResponse, ApiError> {
    check_version(&head)?;
    let append = prepare(&user, &state, id, &head, origin).await.map_err(named)?;
    let expires_at = append.upload.expires_at;
    let permit = state.slots.clone().try_acquire_owned();
    let _permit = permit.map_err(|_| named(ApiError::unavailable()))?;
    let (pieces, queue) = mpsc::channel(WAITING);
    // In a task of its own: what has arrived is kept also when this request is cut.
    let writing = tokio::spawn(state.0.clone().append(append, queue));
    let cut = pump(body, pieces).await;
    let offset = match writing.await {
        Ok(offset) => offset.map_err(named)?,
        Err(error) => return Err(named(ApiError::internal(error))),
    };
    cut.map_err(named)?;
    let mut response = HttpResponse::NoContent();
    response.insert_header((RESUMABLE, VERSION));
    response.insert_header(("upload-offset", offset.to_string()));
    response.insert_header(("upload-expires", http_date(expires_at)));
    Ok(response.finish())
}

async fn prepare(
    user: &User,
    state: &State<Media>,
    id: Uuid,
    head: &Head,
    origin: Origin,
) -> Result<Append, Error> {
    let kind = head.get("content-type").unwrap_or_default();
    if !kind
        .trim()
        .eq_ignore_ascii_case("application/offset+octet-stream")
    {
        let refusal = ApiError::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            code::UNSUPPORTED_MEDIA_TYPE,
            "Send bytes with the content type application/offset+octet-stream.",
        );
        return Err(refusal.into());
    }
    let offset = number(head, "Upload-Offset")?;
    let checksum = match head.get("upload-checksum") {
        None => None,
        Some(header) => {
            let known = Checksum::parse(header);
            Some(known.ok_or_else(|| {
                Error::field("Upload-Checksum", "must be sha1 or sha256 and a digest in base64")
            })?)
        }
    };
    let (owner, now) = (user.id, state.now());
    let work =
        async move |tx: &mut Tx| -> Result<Upload, Error> { Ok(uploads::find(tx, id, owner, now).await?) };
    let upload = state.db.read(Scope::Person(owner), work).await?;
    if upload.locked {
        return Err(Error::Locked);
    }
    if upload.received != offset {
        return Err(Error::state("upload_offset", &upload.received.to_string()));
    }
    if upload.parts >= MOST_PARTS {
        return Err(Error::state("parts", "too many"));
    }
    Ok(Append {
        upload,
        checksum,
        origin,
    })
}

/// Hands the body on as it comes. A writer that has given up says why itself.
async fn pump(mut body: Arriving, pieces: mpsc::Sender<Piece>) -> Result<(), ApiError> {
    while let Some(bytes) = body.next().await? {
        if pieces.send(Piece::Bytes(bytes)).await.is_err() {
            return Ok(());
        }
    }
    drop(pieces.send(Piece::End).await);
    Ok(())
}
