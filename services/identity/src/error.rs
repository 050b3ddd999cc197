//! Why identity refuses.

use std::time::Duration;

use actix_web::http::StatusCode;
use parlour_auth::AuthError;
use parlour_db::DbError;
use parlour_http::{ApiError, code};
use parlour_vault::VaultError;

/// Every way in which a request to identity can end badly.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Wrong password or unknown account: it is never said which.
    #[error("sign-in refused")]
    InvalidCredentials,
    /// A mailed token, a challenge or a code is unknown, used or expired.
    #[error("dead token")]
    InvalidToken,
    /// The account may not be used.
    #[error("account blocked")]
    Blocked,
    /// Signing in needs a verified e-mail address.
    #[error("e-mail address not verified")]
    Unverified,
    /// Too many failed sign-ins from this address.
    #[error("locked")]
    Locked(Duration),
    /// The e-mail address or username is taken.
    #[error("taken")]
    Taken,
    /// The caller's power does not reach this far.
    #[error("not allowed: {0}")]
    Forbidden(&'static str),
    /// Not possible as things are.
    #[error("wrong state: {0}")]
    State(&'static str),
    /// A field is wrong in a way that only the database or a library could tell.
    #[error("field {0}: {1}")]
    Field(&'static str, &'static str),
    /// The account is gone, or the caller may not know of it.
    #[error("no such thing")]
    NotFound,
    /// The database.
    #[error(transparent)]
    Db(#[from] DbError),
    /// A sealed field.
    #[error(transparent)]
    Vault(#[from] VaultError),
    /// A token.
    #[error(transparent)]
    Auth(#[from] AuthError),
    /// Anything that is already an answer.
    #[error(transparent)]
    Api(#[from] ApiErrorBox),
    /// A mistake of ours.
    #[error("{0}")]
    Internal(String),
}

/// An [`ApiError`] as a cause.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct ApiErrorBox(pub ApiError);

impl From<ApiError> for Error {
    fn from(error: ApiError) -> Self {
        Self::Api(ApiErrorBox(error))
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
            Error::InvalidCredentials => ApiError::new(
                StatusCode::UNAUTHORIZED,
                code::INVALID_CREDENTIALS,
                "The e-mail address, username or password is wrong.",
            ),
            Error::InvalidToken => ApiError::new(
                StatusCode::BAD_REQUEST,
                code::INVALID_TOKEN,
                "This link or code is not valid any more. Ask for a new one.",
            ),
            Error::Blocked => ApiError::forbidden()
                .with_details(vec!["this account is blocked; contact support".to_owned()]),
            Error::Unverified => ApiError::forbidden()
                .with_details(vec!["email: confirm your e-mail address first".to_owned()]),
            Error::Locked(after) => ApiError::too_many_requests(after),
            Error::Taken => {
                ApiError::conflict("An account with this e-mail address or username exists already.")
            }
            Error::Forbidden(why) => ApiError::forbidden().with_details(vec![why.to_owned()]),
            Error::State(why) => ApiError::new(StatusCode::CONFLICT, code::INVALID_STATE, why),
            Error::Field(name, problem) => ApiError::field(name, problem),
            Error::NotFound => ApiError::not_found(),
            Error::Db(error) => error.into(),
            Error::Vault(error) => error.into(),
            Error::Auth(error) => error.into(),
            Error::Api(ApiErrorBox(error)) => error,
            Error::Internal(cause) => ApiError::internal(cause),
        }
    }
}
