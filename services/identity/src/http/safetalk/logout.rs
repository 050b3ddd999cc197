//! `POST /logout/`

use actix_web::cookie::Cookie;
use actix_web::cookie::time::Duration;
use actix_web::http::StatusCode;
use parlour_http::{ApiError, CSRF_COOKIE, Origin, RateClass, Reply, Routes, SESSION_COOKIE, State, User};
use serde::Serialize;
use utoipa::ToSchema;

use crate::http::auth::logout::end;
use crate::state::Identity;

/// Registers the route.
pub fn route(routes: Routes) -> Routes {
    routes.add::<__path_logout_safetalk, _, _, _>(RateClass::Auth, logout_safetalk)
}

/// A sentence.
#[derive(Debug, Serialize, ToSchema)]
pub struct SafetalkMessage {
    /// What happened.
    pub message: &'static str,
}

/// Ends the cookie session, or the session of the bearer token
#[utoipa::path(
    post, path = "/logout/", tag = "safetalk",
    responses((status = 200, description = "Signed out.", body = SafetalkMessage))
)]
pub async fn logout_safetalk(user: User, state: State<Identity>, origin: Origin) -> Result<Reply, ApiError> {
    end(&state, user.id, user.session, origin).await?;
    let message = SafetalkMessage {
        message: "You are signed out.",
    };
    let gone = |name| Cookie::build(name, "").path("/").max_age(Duration::ZERO).finish();
    Ok(Reply::bare(StatusCode::OK, &message)?
        .with_cookie(gone(SESSION_COOKIE))
        .with_cookie(gone(CSRF_COOKIE)))
}
