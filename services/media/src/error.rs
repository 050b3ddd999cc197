//! Why media refuses.

use actix_web::http::StatusCode;
use parlour_db::DbError;
use parlour_events::Failure;
use parlour_http::{ApiError, code};
use parlour_vault::VaultError;

use crate::storage::StorageError;
use crate::storage::seal::Damaged;

/// 413: the file is larger than its kind may be.
pub const FILE_TOO_LARGE: &str = "FILE_TOO_LARGE";
/// 413: the person's files would be more than their plan allows.
pub const QUOTA_EXCEEDED: &str = "QUOTA_EXCEEDED";
/// 415: the content is of no type that is taken, or not of the one that it claims.
pub const UNSUPPORTED_FILE_TYPE: &str = "UNSUPPORTED_FILE_TYPE";
/// 422: the file is harmful.
pub const FILE_INFECTED: &str = "FILE_INFECTED";
/// 403: not a conversation of the caller's.
pub const CHAT_ACCESS_DENIED: &str = "CHAT_ACCESS_DENIED";
/// 404: no such conversation.
pub const SESSION_NOT_FOUND: &str = "SESSION_NOT_FOUND";
/// 409: the conversation is locked or over.
pub const SESSION_INACTIVE: &str = "SESSION_INACTIVE";

/// 423: somebody else is appending to the upload.
pub const UPLOAD_LOCKED: &str = "UPLOAD_LOCKED";
/// 460: the bytes are not those that were announced.
pub const CHECKSUM_MISMATCH: &str = "CHECKSUM_MISMATCH";

/// Every way in which a request can end badly.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is no such thing, or not for the caller.
    #[error("not found")]
    NotFound,
    /// The file is larger than it may be; how large that is.
    #[error("larger than {0} bytes")]
    TooLarge(u64),
    /// The person's files would be more than their plan allows; how much that is.
    #[error("more than {0} bytes in all")]
    Quota(i64),
    /// The content is of no type that is taken, or not of the one that it claims; why.
    #[error("type: {0}")]
    Type(String),
    /// The file is harmful.
    #[error("infected")]
    Infected,
    /// Not possible as things are; how they are.
    #[error("wrong state")]
    State(Vec<String>),
    /// A field is wrong.
    #[error("field {0}: {1}")]
    Field(&'static str, String),
    /// The person has as many uploads open as they may.
    #[error("too many uploads are open")]
    ManyOpen,
    /// Somebody else is appending.
    #[error("locked")]
    Locked,
    /// The bytes are not those that were announced.
    #[error("checksum")]
    Checksum,
    /// The store of objects.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// The database.
    #[error(transparent)]
    Db(#[from] DbError),
    /// A sealed field.
    #[error(transparent)]
    Vault(#[from] VaultError),
    /// Anything that is already an answer.
    #[error("{0}")]
    Api(Box<ApiError>),
}

impl Error {
    /// 409 with the state that something is in.
    pub fn state(what: &str, status: &str) -> Self {
        Self::State(vec![format!("{what}: {status}")])
    }

    /// 400 about a field.
    pub fn field(name: &'static str, problem: &str) -> Self {
        Self::Field(name, problem.to_owned())
    }
}

impl From<ApiError> for Error {
    fn from(error: ApiError) -> Self {
        Self::Api(Box::new(error))
    }
}

impl From<diesel::result::Error> for Error {
    fn from(error: diesel::result::Error) -> Self {
        Self::Db(error.into())
    }
}

impl From<Damaged> for Error {
    fn from(error: Damaged) -> Self {
        Self::Storage(error.into())
    }
}

impl From<Error> for ApiError {
    fn from(error: Error) -> Self {
        match error {
            Error::NotFound => ApiError::not_found(),
            Error::TooLarge(most) => ApiError::new(
                StatusCode::PAYLOAD_TOO_LARGE,
                FILE_TOO_LARGE,
                "The file is too large.",
            )
            .with_details(vec![format!("most_bytes: {most}")]),
            Error::Quota(allowed) => ApiError::new(
                StatusCode::PAYLOAD_TOO_LARGE,
                QUOTA_EXCEEDED,
                "There is no room left for this file.",
            )
            .with_details(vec![format!("allowed_bytes: {allowed}")]),
            Error::Type(why) => ApiError::new(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                UNSUPPORTED_FILE_TYPE,
                "Files of this type are not taken.",
            )
            .with_details(vec![why]),
            // Over as soon as one of them is: nothing to remember under an idempotency key.
            Error::ManyOpen => ApiError::new(
                StatusCode::TOO_MANY_REQUESTS,
                code::RATE_LIMIT_EXCEEDED,
                "Too many uploads are open. Finish or end one of them first.",
            ),
            Error::Infected => ApiError::new(
                StatusCode::UNPROCESSABLE_ENTITY,
                FILE_INFECTED,
                "The file looks harmful and was not kept.",
            ),
            Error::State(details) => ApiError::new(
                StatusCode::CONFLICT,
                code::INVALID_STATE,
                "This is not possible in the present state.",
            )
            .with_details(details),
            Error::Locked => ApiError::new(
                StatusCode::LOCKED,
                UPLOAD_LOCKED,
                "The upload is being continued by another request.",
            ),
            Error::Checksum => ApiError::new(
                StatusCode::from_u16(460).unwrap_or(StatusCode::BAD_REQUEST),
                CHECKSUM_MISMATCH,
                "The bytes are not those that were announced. Send them again.",
            ),
            Error::Field(name, problem) => ApiError::field(name, &problem),
            Error::Storage(error) => match error {
                StorageError::Store(_) => ApiError::unavailable().with_cause(error),
                error => ApiError::internal(error),
            },
            Error::Db(error) => error.into(),
            Error::Vault(error) => error.into(),
            Error::Api(error) => *error,
        }
    }
}

/// How a failure is classed for the retry ladder.
impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        match error {
            Error::Db(error) => error.into(),
            other => Failure::retry(other),
        }
    }
}

/// 403: not a conversation of the caller's.
pub fn chat_access_denied() -> ApiError {
    ApiError::new(
        StatusCode::FORBIDDEN,
        CHAT_ACCESS_DENIED,
        "You do not take part in this conversation.",
    )
}

/// 404: no such conversation.
pub fn session_not_found() -> ApiError {
    ApiError::new(
        StatusCode::NOT_FOUND,
        SESSION_NOT_FOUND,
        "There is no such conversation.",
    )
}

/// 409: the conversation is locked or over.
pub fn session_inactive(status: &str) -> ApiError {
    ApiError::new(
        StatusCode::CONFLICT,
        SESSION_INACTIVE,
        "Nothing can be sent in this conversation.",
    )
    .with_details(vec![format!("status: {status}")])
}
