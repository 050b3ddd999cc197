//! Who sends a request: the bearer's token, or SafeTalk's cookie.

use std::sync::Arc;

use actix_web::HttpRequest;
use parlour_auth::{Principal, Verifier};

use crate::{ApiError, Call};

/// The cookie of a SafeTalk session.
pub const SESSION_COOKIE: &str = "parlour_session";

/// The cookie whose value a write by cookie must repeat in `X-CSRFToken`.
pub const CSRF_COOKIE: &str = "csrftoken";

/// Who a request comes from, as its tokens tell. A front that has looked puts it
/// into the request's extensions, so that nobody verifies twice.
#[derive(Clone, Default)]
pub struct Caller {
    /// The principal, if there is one.
    pub principal: Option<Arc<Principal>>,
    /// Whether a cookie said so, which a page of another site can make a browser send.
    pub by_cookie: bool,
}

/// Reads the caller's token: the bearer's, or SafeTalk's cookie.
pub async fn identify(verifier: &Verifier, request: &HttpRequest) -> Result<Caller, ApiError> {
    if let Some(token) = bearer(request)? {
        return Ok(Caller {
            principal: Some(verifier.verify(token).await?),
            by_cookie: false,
        });
    }
    let Some(cookie) = request.cookie(SESSION_COOKIE) else {
        return Ok(Caller::default());
    };
    match verifier.verify(cookie.value()).await {
        Ok(principal) => Ok(Caller {
            principal: Some(principal),
            by_cookie: true,
        }),
        // A browser sends a dead cookie along without being asked; the route says whether one is needed.
        Err(parlour_auth::AuthError::Invalid) => Ok(Caller::default()),
        Err(error) => Err(error.into()),
    }
}

/// The bearer token of a request; an `Authorization` header of another kind is refused.
pub(crate) fn bearer(request: &HttpRequest) -> Result<Option<&str>, ApiError> {
    let Some(value) = request.headers().get("authorization") else {
        return Ok(None);
    };
    let value = std::str::from_utf8(value.as_bytes()).map_err(|_| ApiError::unauthenticated())?;
    let (scheme, token) = value.split_once(' ').ok_or_else(ApiError::unauthenticated)?;
    if !scheme.eq_ignore_ascii_case("bearer") {
        return Err(ApiError::unauthenticated());
    }
    Ok(Some(token.trim()))
}

/// Whether a write that is authenticated by cookie comes from a page of ours:
/// it repeats the CSRF cookie in a header, or the browser says so itself.
pub(crate) fn is_same_site(call: &Call) -> bool {
    let repeated = call.request.cookie(CSRF_COOKIE).is_some_and(|cookie| {
        !cookie.value().is_empty() && call.header("x-csrftoken") == Some(cookie.value())
    });
    let connection = call.request.connection_info().clone();
    let same_origin = call
        .header("origin")
        .is_some_and(|origin| origin == format!("{}://{}", connection.scheme(), connection.host()));
    repeated || same_origin
}
