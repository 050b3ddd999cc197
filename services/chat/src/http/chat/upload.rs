//! What comes with a file: the form, read within bounds, and its way on to media.

use actix_web::http::StatusCode;
use actix_web::web::Bytes;
use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use parlour_http::{ApiError, Call, Extract, FormDigest, Multipart, SESSION_COOKIE};
use serde_json::Value;
use tokio::sync::OwnedSemaphorePermit;
use uuid::Uuid;

use crate::error::Error;
use crate::sending::File;
use crate::state::Chat;
use crate::uploading::Upload;

/// The largest file, in bytes.
pub const LARGEST: usize = 10 * 1024 * 1024;
/// The most characters of a field.
const MOST_FIELD: usize = 4000;

/// The caller's token, to be shown to media in their name.
pub struct Token(pub String);

impl Extract for Token {
    async fn extract(call: &mut Call) -> Result<Self, ApiError> {
        let bearer = call
            .header("authorization")
            .and_then(|value| value.split_once(' '))
            .map(|(_, token)| token.trim().to_owned());
        let cookie = || {
            call.request
                .cookie(SESSION_COOKIE)
                .map(|cookie| cookie.value().to_owned())
        };
        bearer
            .or_else(cookie)
            .map(Self)
            .ok_or_else(ApiError::unauthenticated)
    }
}

/// What the caller's idempotency key is to media.
pub struct Key(pub Option<String>);

impl Extract for Key {
    async fn extract(call: &mut Call) -> Result<Self, ApiError> {
        // Another key than the caller may use with media themselves.
        let mine = |key: &str| {
            let hash = digest(&SHA256, format!("chat/{key}").as_bytes());
            URL_SAFE_NO_PAD.encode(hash.as_ref())
        };
        Ok(Self(call.header("idempotency-key").map(mine)))
    }
}

/// A form with a file, as it came.
pub struct Form {
    /// The file's own name.
    pub name: String,
    /// What is in it.
    pub bytes: Bytes,
    /// `session_id`
    pub session_id: Uuid,
    /// `caption`
    pub caption: String,
    /// What an idempotency key covers.
    pub digest: [u8; 32],
    /// Holds one of the places for files in memory until the form is done with.
    _place: OwnedSemaphorePermit,
}

/// 413 for a file.
fn too_large() -> ApiError {
    ApiError::new(
        StatusCode::PAYLOAD_TOO_LARGE,
        "FILE_TOO_LARGE",
        "The file is larger than 10 MB.",
    )
}

/// 415 for a file.
pub fn unsupported(what: &str) -> ApiError {
    ApiError::new(
        StatusCode::UNSUPPORTED_MEDIA_TYPE,
        "UNSUPPORTED_FILE_TYPE",
        "This type of file is not taken.",
    )
    .with_details(vec![what.to_owned()])
}

impl Form {
    /// Reads a form whose file has one of these names.
    pub async fn read(chat: &Chat, mut form: Multipart, names: &[&'static str]) -> Result<Self, ApiError> {
        let place = chat.uploads.place().ok_or_else(ApiError::unavailable)?;
        let (mut file, mut session, mut caption) = (None, None, String::new());
        let mut covered = FormDigest::default();
        while let Some(part) = form.next_part().await? {
            if names.contains(&part.name.as_str()) {
                if file.is_some() {
                    return Err(ApiError::field(&part.name, "must be one file"));
                }
                let bytes = whole(&mut form).await?;
                let name = part.file_name.unwrap_or_else(|| part.name.clone());
                covered.file(&part.name, &name, digest(&SHA256, &bytes).as_ref());
                file = Some((name, bytes));
                continue;
            }
            if !["session_id", "caption", "duration"].contains(&part.name.as_str()) {
                continue;
            }
            let text = form.text(&part.name, MOST_FIELD).await?;
            covered.field(&part.name, &text);
            match part.name.as_str() {
                "session_id" => session = Some(text),
                "caption" => caption = text,
                // The sender's figure is only a hint, and what is measured needs none.
                _ => {}
            }
        }
        let field = names.first().copied().unwrap_or("file");
        let mut problems = parlour_http::Problems::default();
        let session = session.and_then(|text| Uuid::try_parse(&text).ok());
        problems.require(session.is_some(), "session_id", "must be a UUID");
        problems.require(
            file.as_ref().is_some_and(|(_, bytes)| !bytes.is_empty()),
            field,
            "is required and must not be empty",
        );
        let (Some(session_id), Some((name, bytes))) = (session, file) else {
            problems.end()?;
            return Err(ApiError::field("body", "is not whole"));
        };
        problems.end()?;
        Ok(Self {
            name,
            bytes,
            session_id,
            caption,
            digest: covered.finish(),
            _place: place,
        })
    }

    /// Takes the file to media in the caller's name. Answers it as media stored it, and
    /// media's own words about it.
    pub async fn store(
        &self,
        chat: &Chat,
        (Token(token), Key(key)): (Token, Key),
        (path, field): (&str, &str),
    ) -> Result<(File, Value), Error> {
        let upload = Upload {
            path,
            field,
            name: &self.name,
            bytes: self.bytes.clone(),
            token: &token,
            key: key.as_deref(),
        };
        chat.uploads.send(upload).await
    }
}

async fn whole(form: &mut Multipart) -> Result<Bytes, ApiError> {
    let mut bytes = Vec::new();
    while let Some(piece) = form.chunk().await? {
        if bytes.len() + piece.len() > LARGEST {
            return Err(too_large());
        }
        bytes.extend_from_slice(&piece);
    }
    Ok(bytes.into())
}
