//! The one error that reaches a client.

use std::borrow::Cow;
use std::error::Error;
use std::time::Duration;

use actix_web::http::StatusCode;
use parlour_auth::AuthError;
use parlour_db::DbError;
use parlour_vault::VaultError;

/// The stable codes. A code never changes its meaning.
pub mod code {
    /// 400: fields are wrong; `details` names each.
    pub const VALIDATION_ERROR: &str = "VALIDATION_ERROR";
    /// 400: a mailed token is unknown, used or expired.
    pub const INVALID_TOKEN: &str = "INVALID_TOKEN";
    /// 401: nobody is signed in, or the token is not valid any more.
    pub const AUTHENTICATION_REQUIRED: &str = "AUTHENTICATION_REQUIRED";
    /// 401: a sign-in was refused.
    pub const INVALID_CREDENTIALS: &str = "INVALID_CREDENTIALS";
    /// 403: signed in, but not allowed.
    pub const INSUFFICIENT_PERMISSIONS: &str = "INSUFFICIENT_PERMISSIONS";
    /// 404: no such path or resource, or not one the caller may know of.
    pub const RESOURCE_NOT_FOUND: &str = "RESOURCE_NOT_FOUND";
    /// 405: the path exists, the method does not.
    pub const METHOD_NOT_ALLOWED: &str = "METHOD_NOT_ALLOWED";
    /// 408: the body did not arrive in time.
    pub const REQUEST_TIMEOUT: &str = "REQUEST_TIMEOUT";
    /// 409: it exists already, or somebody was faster.
    pub const CONFLICT: &str = "CONFLICT";
    /// 409: not possible in the state that the resource is in.
    pub const INVALID_STATE: &str = "INVALID_STATE";
    /// 409: the key was used with another body.
    pub const IDEMPOTENCY_KEY_REUSED: &str = "IDEMPOTENCY_KEY_REUSED";
    /// 409: a request with this key is being worked on.
    pub const IDEMPOTENCY_IN_PROGRESS: &str = "IDEMPOTENCY_IN_PROGRESS";
    /// 413: a JSON body is too large.
    pub const PAYLOAD_TOO_LARGE: &str = "PAYLOAD_TOO_LARGE";
    /// 415: the body is not of the type that the path takes.
    pub const UNSUPPORTED_MEDIA_TYPE: &str = "UNSUPPORTED_MEDIA_TYPE";
    /// 429: too many requests.
    pub const RATE_LIMIT_EXCEEDED: &str = "RATE_LIMIT_EXCEEDED";
    /// 500: our mistake.
    pub const INTERNAL_SERVER_ERROR: &str = "INTERNAL_SERVER_ERROR";
    /// 502, 503, 504: something behind us does not answer.
    pub const UPSTREAM_UNAVAILABLE: &str = "UPSTREAM_UNAVAILABLE";
}

/// What went wrong, as the client may know it, and privately why.
#[derive(Debug)]
pub struct ApiError {
    /// HTTP status.
    pub status: StatusCode,
    /// Stable code.
    pub code: Cow<'static, str>,
    /// One sentence for the person in front of the screen.
    pub message: Cow<'static, str>,
    /// Particulars, such as the wrong fields.
    pub details: Vec<String>,
    /// When to try again.
    pub retry_after: Option<Duration>,
    /// Headers that go with it.
    pub headers: Vec<(&'static str, String)>,
    /// The cause, for the log alone.
    pub cause: Option<Box<dyn Error + Send + Sync>>,
}

impl ApiError {
    /// An error with this status, code and sentence.
    pub fn new(
        status: StatusCode,
        code: impl Into<Cow<'static, str>>,
        message: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self {
            status,
            code: code.into(),
            message: message.into(),
            details: Vec::new(),
            retry_after: None,
            headers: Vec::new(),
            cause: None,
        }
    }

    /// 400 with every wrong field.
    pub fn validation(details: Vec<String>) -> Self {
        Self::new(
            StatusCode::BAD_REQUEST,
            code::VALIDATION_ERROR,
            "Some fields are not valid.",
        )
        .with_details(details)
    }

    /// 400 about one field.
    pub fn field(name: &str, problem: &str) -> Self {
        Self::validation(vec![format!("{name}: {problem}")])
    }

    /// 401: sign in first.
    pub fn unauthenticated() -> Self {
        Self::new(
            StatusCode::UNAUTHORIZED,
            code::AUTHENTICATION_REQUIRED,
            "Sign in to continue.",
        )
        .with_header("WWW-Authenticate", "Bearer".to_owned())
    }

    /// 403.
    pub fn forbidden() -> Self {
        Self::new(
            StatusCode::FORBIDDEN,
            code::INSUFFICIENT_PERMISSIONS,
            "You are not allowed to do this.",
        )
    }

    /// 404.
    pub fn not_found() -> Self {
        Self::new(
            StatusCode::NOT_FOUND,
            code::RESOURCE_NOT_FOUND,
            "There is nothing here.",
        )
    }

    /// 409.
    pub fn conflict(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::CONFLICT, code::CONFLICT, message)
    }

    /// 429.
    pub fn too_many_requests(retry_after: Duration) -> Self {
        Self::new(
            StatusCode::TOO_MANY_REQUESTS,
            code::RATE_LIMIT_EXCEEDED,
            "Too many requests. Wait a moment and try again.",
        )
        .with_retry_after(retry_after)
    }

    /// 503: something behind us is away.
    pub fn unavailable() -> Self {
        Self::new(
            StatusCode::SERVICE_UNAVAILABLE,
            code::UPSTREAM_UNAVAILABLE,
            "This is not available at the moment. Try again shortly.",
        )
        .with_retry_after(Duration::from_secs(1))
    }

    /// 500 whose cause only the log gets to see.
    pub fn internal(cause: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            code::INTERNAL_SERVER_ERROR,
            "Something went wrong on our side.",
        )
        .with_cause(cause)
    }

    /// Adds particulars.
    #[must_use]
    pub fn with_details(mut self, details: Vec<String>) -> Self {
        self.details = details;
        self
    }

    /// Adds when to try again.
    #[must_use]
    pub fn with_retry_after(mut self, after: Duration) -> Self {
        self.retry_after = Some(after);
        self
    }

    /// Adds a header.
    #[must_use]
    pub fn with_header(mut self, name: &'static str, value: String) -> Self {
        self.headers.push((name, value));
        self
    }

    /// Adds the private cause.
    #[must_use]
    pub fn with_cause(mut self, cause: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        self.cause = Some(cause.into());
        self
    }

    /// Whether the same request would be refused again for ever, so that the
    /// refusal may be remembered under an idempotency key.
    pub(crate) fn is_final(&self) -> bool {
        matches!(
            self.status,
            StatusCode::FORBIDDEN | StatusCode::NOT_FOUND | StatusCode::CONFLICT
        ) && !self.code.starts_with("IDEMPOTENCY")
    }
}

impl std::fmt::Display for ApiError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.status.as_u16(), self.code)
    }
}

impl From<DbError> for ApiError {
    fn from(error: DbError) -> Self {
        match error {
            DbError::NotFound => Self::not_found(),
            error if error.is_transient() => Self::unavailable().with_cause(error),
            error => Self::internal(error),
        }
    }
}

impl From<diesel::result::Error> for ApiError {
    fn from(error: diesel::result::Error) -> Self {
        DbError::from(error).into()
    }
}

impl From<AuthError> for ApiError {
    fn from(error: AuthError) -> Self {
        match error {
            AuthError::Invalid => Self::unauthenticated(),
            AuthError::Unavailable => Self::unavailable(),
        }
    }
}

impl From<VaultError> for ApiError {
    fn from(error: VaultError) -> Self {
        Self::internal(error)
    }
}
