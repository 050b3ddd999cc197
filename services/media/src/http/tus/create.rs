//! `POST /api/media/tus/`

use actix_web::http::StatusCode;
use parlour_contracts::id;
use parlour_db::{Scope, Tx};
use parlour_http::{ApiError, Failure, FormDigest, Head, OnceRead, RateClass, Reply, Routes, State, User};
use uuid::Uuid;

use super::{RESUMABLE, VERSION, check_version, http_date, named, number};
use crate::domain::tus::Metadata;
use crate::error::Error;
use crate::state::Media;
use crate::store::quotas;
use crate::store::uploads::{self, Upload};

/// Registers the route.
pub fn route(routes: Routes) -> Routes {
    routes.add::<__path_tus_create, _, _, _>(RateClass::Upload, tus_create)
}

/// Begins an upload that can be resumed
///
/// `Upload-Length` says how long it will be, `Upload-Metadata` may have `filename`, `filetype`,
/// `folder` and `description`. It is appended to where `Location` says.
#[utoipa::path(
    post, path = "/api/media/tus/", tag = "media",
    params(
        ("Tus-Resumable" = String, Header, description = "1.0.0"),
        ("Upload-Length" = i64, Header, description = "Bytes in all."),
        ("Upload-Metadata" = Option<String>, Header, description = "Keys with values in base64."),
    ),
    responses(
        (status = 201, description = "Where to append, in the header Location."),
        (status = 429, description = "Too many requests, or too many uploads are open.", body = Failure),
        (status = 412, description = "Another version of the protocol."),
        (status = 413, description = "Too large, or more than the caller may store."),
    )
)]
pub async fn tus_create(
    user: User,
    state: State<Media>,
    head: Head,
    once: OnceRead,
) -> Result<Reply, ApiError> {
    check_version(&head)?;
    let length = length(&state, &head).map_err(named)?;
    let metadata = head.get("upload-metadata").unwrap_or_default().to_owned();
    Metadata::parse(&metadata).map_err(|problem| named(ApiError::field("Upload-Metadata", problem)))?;
    let mut digest = FormDigest::default();
    digest.field("upload-length", &length.to_string());
    digest.field("upload-metadata", &metadata);
    let (owner, media) = (user.id, state.0.clone());
    let reply = once
        .covering(digest.finish())
        .write(
            Scope::Person(owner),
            async move |tx: &mut Tx| -> Result<Reply, Error> {
                begin(&media, tx, owner, length, &metadata).await
            },
        )
        .await
        .map_err(named)?;
    Ok(reply.with_header(RESUMABLE, VERSION))
}

fn length(state: &Media, head: &Head) -> Result<i64, Error> {
    let length = number(head, "Upload-Length")?;
    if length == 0 {
        return Err(Error::field("Upload-Length", "must be at least 1"));
    }
    let most = state.settings.most_bytes.any();
    if u64::try_from(length).is_ok_and(|length| length > most) {
        return Err(Error::TooLarge(most));
    }
    Ok(length)
}

async fn begin(media: &Media, tx: &mut Tx, owner: Uuid, length: i64, metadata: &str) -> Result<Reply, Error> {
    // Counted exactly when it becomes a file; this only spares the sender the way.
    let quota = quotas::lock(tx, owner, media.settings.quota_bytes).await?;
    if quota.used.saturating_add(length) > quota.allowed {
        return Err(Error::Quota(quota.allowed));
    }
    if uploads::count_of(tx, owner).await? >= i64::from(media.settings.resumable_uploads) {
        return Err(Error::ManyOpen);
    }
    let (id, now) = (id::new(), media.now());
    let place = Upload::metadata_place(id);
    let sealed = (!metadata.is_empty()).then(|| media.vault.seal_text(&place, metadata));
    let upload = Upload {
        id,
        owner_id: owner,
        length,
        received: 0,
        parts: 0,
        metadata_sealed: sealed.transpose()?,
        created_at: now,
        expires_at: now + media.settings.resumable(),
        locked: false,
    };
    uploads::insert(tx, &upload).await?;
    Ok(Reply {
        status: StatusCode::CREATED,
        body: Vec::new(),
        cookies: Vec::new(),
        headers: vec![
            ("location", format!("/api/media/tus/{id}")),
            ("upload-expires", http_date(upload.expires_at)),
        ],
    })
}
