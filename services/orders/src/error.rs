//! Why orders refuses.

use actix_web::http::StatusCode;
use parlour_db::DbError;
use parlour_events::Failure;
use parlour_http::{ApiError, code};
use parlour_vault::VaultError;

use parlour_contracts::names::UnknownName;

/// 409: the counsellor does not work then.
pub const NOT_AVAILABLE: &str = "NOT_AVAILABLE";
/// 409: somebody else has booked it.
pub const SLOT_TAKEN: &str = "SLOT_TAKEN";

/// Every way in which a request can end badly.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The caller may know of it, but not do this.
    #[error("not allowed: {0}")]
    Forbidden(&'static str),
    /// Not possible as things are; how they are.
    #[error("wrong state")]
    State(Vec<String>),
    /// Somebody changed it since the caller looked; its version now.
    #[error("stale version")]
    Stale(i64),
    /// A field is wrong in a way that only the database could tell.
    #[error("field {0}: {1}")]
    Field(&'static str, &'static str),
    /// The counsellor does not work then.
    #[error("not available")]
    NotAvailable,
    /// Somebody else has booked it.
    #[error("slot taken")]
    SlotTaken,
    /// The client has something else at that time.
    #[error("client busy")]
    ClientBusy,
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

impl Error {
    /// 409 with the state that something is in.
    pub fn state(what: &str, status: &str) -> Self {
        Self::State(vec![format!("{what}: {status}")])
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
        let conflict =
            |code: &'static str, message: &'static str| ApiError::new(StatusCode::CONFLICT, code, message);
        match error {
            Error::Forbidden(why) => ApiError::forbidden().with_details(vec![why.to_owned()]),
            Error::State(details) => {
                conflict(code::INVALID_STATE, "This is not possible in the present state.")
                    .with_details(details)
            }
            Error::Stale(version) => ApiError::conflict("It was changed since you looked at it. Look again.")
                .with_details(vec![format!("version: {version}")]),
            Error::Field(name, problem) => ApiError::field(name, problem),
            Error::NotAvailable => conflict(NOT_AVAILABLE, "The counsellor is not available at this time."),
            Error::SlotTaken => conflict(
                SLOT_TAKEN,
                "This time was booked by somebody else. Choose another.",
            ),
            Error::ClientBusy => ApiError::conflict("You have another appointment at this time."),
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
