//! Why chat refuses.

use std::time::Duration;

use actix_web::http::StatusCode;
use parlour_db::DbError;
use parlour_events::Failure;
use parlour_http::{ApiError, Limit, RateClass};
use parlour_vault::VaultError;

use parlour_contracts::names::UnknownName;

/// 403: the conversation is not the caller's.
pub const CHAT_ACCESS_DENIED: &str = "CHAT_ACCESS_DENIED";
/// 404: there is no such conversation.
pub const SESSION_NOT_FOUND: &str = "SESSION_NOT_FOUND";
/// 409: the conversation is locked or over.
pub const SESSION_INACTIVE: &str = "SESSION_INACTIVE";
/// 422: the file was found harmful.
pub const FILE_INFECTED: &str = "FILE_INFECTED";

/// Every way in which a request can end badly.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is no such conversation.
    #[error("no such session")]
    SessionNotFound,
    /// The conversation is not the caller's.
    #[error("access denied")]
    Denied,
    /// The conversation is locked or over.
    #[error("session inactive")]
    Inactive,
    /// The caller may know of it, but not do this.
    #[error("not allowed: {0}")]
    Forbidden(&'static str),
    /// Not possible as things are.
    #[error("conflict: {0}")]
    Conflict(&'static str),
    /// A field is wrong.
    #[error("field {0}: {1}")]
    Field(&'static str, &'static str),
    /// Too much was said.
    #[error("rate limit")]
    Limited {
        /// The figure that was reached.
        limit: Limit,
        /// When to try again.
        after: Duration,
    },
    /// The file was found harmful.
    #[error("file infected")]
    Infected,
    /// The database.
    #[error(transparent)]
    Db(#[from] DbError),
    /// A sealed field.
    #[error(transparent)]
    Vault(#[from] VaultError),
    /// A row says what this version does not know.
    #[error(transparent)]
    UnknownName(#[from] UnknownName),
    /// What was sealed is not what it should be.
    #[error(transparent)]
    Json(#[from] serde_json::Error),
    /// Anything that is already an answer.
    #[error("{0}")]
    Api(Box<ApiError>),
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

impl From<Error> for ApiError {
    fn from(error: Error) -> Self {
        match error {
            Error::SessionNotFound => ApiError::new(
                StatusCode::NOT_FOUND,
                SESSION_NOT_FOUND,
                "There is no such conversation.",
            ),
            Error::Denied => ApiError::new(
                StatusCode::FORBIDDEN,
                CHAT_ACCESS_DENIED,
                "You do not take part in this conversation.",
            ),
            Error::Inactive => ApiError::new(
                StatusCode::CONFLICT,
                SESSION_INACTIVE,
                "This conversation is locked or over.",
            ),
            Error::Forbidden(why) => ApiError::forbidden().with_details(vec![why.to_owned()]),
            Error::Conflict(message) => ApiError::conflict(message),
            Error::Field(name, problem) => ApiError::field(name, problem),
            Error::Limited { limit, after } => {
                let class = RateClass::Message;
                ApiError::too_many_requests(after)
                    .with_header("ratelimit-policy", limit.policy_header(class))
                    .with_header("ratelimit", Limit::header(class, 0, after))
            }
            Error::Infected => ApiError::new(
                StatusCode::UNPROCESSABLE_ENTITY,
                FILE_INFECTED,
                "This file is harmful and was not sent.",
            ),
            Error::Db(error) => error.into(),
            Error::Vault(error) => error.into(),
            Error::UnknownName(error) => ApiError::internal(error),
            Error::Json(error) => ApiError::internal(error),
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
