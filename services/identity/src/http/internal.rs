//! `/internal/…`: what the platform's own processes ask. Behind the internal key.

use std::sync::Arc;

use actix_web::http::StatusCode;
use parlour_auth::Authority as _;
use parlour_http::{Anonymous, ApiError, Check, Json, RateClass, Reply, Routes, State};
use serde::Deserialize;
use utoipa::ToSchema;

use crate::state::Identity;

/// The internal routes.
pub fn routes() -> Routes {
    Routes::of(crate::NAME)
        .add::<__path_keys, _, _, _>(RateClass::None, keys)
        .add::<__path_introspect, _, _, _>(RateClass::None, introspect)
        .add::<__path_revocations, _, _, _>(RateClass::None, revocations)
}

/// A token to look up.
#[derive(Debug, Deserialize, ToSchema)]
pub struct Introspect {
    /// An access token, an API token or a cookie's value.
    pub token: String,
}

impl Check for Introspect {}

/// The key set
#[utoipa::path(get, path = "/internal/jwks", responses((status = 200, description = "Keys.")))]
pub async fn keys(_: Anonymous, state: State<Identity>) -> Result<Reply, ApiError> {
    Reply::bare(StatusCode::OK, &state.keys.jwks())
}

/// Whose a token is
#[utoipa::path(post, path = "/internal/introspect", request_body = Introspect, responses((status = 200, description = "The principal.")))]
pub async fn introspect(
    _: Anonymous,
    state: State<Identity>,
    Json(body): Json<Introspect>,
) -> Result<Reply, ApiError> {
    let principal = Arc::clone(&state.0).introspect(&body.token).await?;
    Reply::bare(StatusCode::OK, &principal)
}

/// What was revoked lately
#[utoipa::path(get, path = "/internal/revocations", responses((status = 200, description = "The list.")))]
pub async fn revocations(_: Anonymous, state: State<Identity>) -> Result<Reply, ApiError> {
    let list = Arc::clone(&state.0).revocations().await?;
    Reply::bare(StatusCode::OK, &list)
}
