//! `/api/media/tus/…`: resumable uploads by the tus protocol 1.0.0, with its extensions
//! creation, expiration, checksum and termination. The file has the upload's id.

pub mod append;
pub mod create;
pub mod offset;
pub mod options;
pub mod terminate;

use actix_web::http::StatusCode;
use parlour_http::{ApiError, Head, Routes};

use crate::error::Error;

/// The version of the protocol.
pub(crate) const VERSION: &str = "1.0.0";
/// The header that every request and every answer has.
pub(crate) const RESUMABLE: &str = "tus-resumable";
/// 412: another version of the protocol.
pub const VERSION_NOT_SUPPORTED: &str = "TUS_VERSION_NOT_SUPPORTED";

/// Routes below `/api/media/tus/`.
pub fn routes() -> Routes {
    let routes = Routes::of(crate::NAME);
    let routes = create::route(options::route(routes));
    terminate::route(append::route(offset::route(routes)))
}

/// Refuses other versions of the protocol.
fn check_version(head: &Head) -> Result<(), ApiError> {
    if head.get(RESUMABLE) == Some(VERSION) {
        return Ok(());
    }
    Err(named(
        ApiError::new(
            StatusCode::PRECONDITION_FAILED,
            VERSION_NOT_SUPPORTED,
            "Send Tus-Resumable: 1.0.0.",
        )
        .with_header("tus-version", VERSION.to_owned()),
    ))
}

/// Errors name the version as well.
fn named(error: impl Into<ApiError>) -> ApiError {
    error.into().with_header(RESUMABLE, VERSION.to_owned())
}

/// A header with a number of bytes.
fn number(head: &Head, name: &'static str) -> Result<i64, Error> {
    let number: Option<i64> = head.get(name).and_then(|text| text.trim().parse().ok());
    number
        .filter(|number| *number >= 0)
        .ok_or_else(|| Error::field(name, "must be a number of bytes"))
}

/// A time, as `Upload-Expires` has it.
fn http_date(time: chrono::DateTime<chrono::Utc>) -> String {
    httpdate::fmt_http_date(time.into())
}
