//! Why notify refuses.

use actix_web::http::StatusCode;
use parlour_db::DbError;
use parlour_events::Failure;
use parlour_http::{ApiError, code};
use parlour_vault::VaultError;

/// Every way in which a request to notify can end badly.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is none, or the caller may not know of it.
    #[error("no such thing")]
    NotFound,
    /// There is one already.
    #[error("there is one already: {0}")]
    Taken(&'static str),
    /// Not possible as things are.
    #[error("wrong state: {0}")]
    State(String),
    /// The caller's power does not reach this far.
    #[error("not allowed: {0}")]
    Forbidden(&'static str),
    /// Fields are wrong in a way that only the database could tell, "field: why" each.
    #[error("wrong fields")]
    Fields(Vec<String>),
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
    /// One wrong field.
    pub fn field(name: &str, why: &str) -> Self {
        Self::Fields(vec![format!("{name}: {why}")])
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

impl From<Error> for ApiError {
    fn from(error: Error) -> Self {
        match error {
            Error::NotFound => ApiError::not_found(),
            Error::Taken(what) => ApiError::conflict(what),
            Error::State(why) => ApiError::new(
                StatusCode::CONFLICT,
                code::INVALID_STATE,
                "This is not possible as things are.",
            )
            .with_details(vec![why]),
            Error::Forbidden(why) => ApiError::forbidden().with_details(vec![why.to_owned()]),
            Error::Fields(details) => ApiError::validation(details),
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
            // A value that is damaged stays so; a key that is missing can be configured.
            Error::Vault(VaultError::Damaged) => Failure::poison(VaultError::Damaged),
            other => Failure::retry(other),
        }
    }
}
