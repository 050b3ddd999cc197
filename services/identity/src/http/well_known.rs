//! `GET /.well-known/jwks.json`

use actix_web::http::StatusCode;
use parlour_http::{Anonymous, ApiError, RateClass, Reply, Routes, State};
use serde::Serialize;
use utoipa::ToSchema;

use crate::state::Identity;

/// Routes below `/.well-known`.
pub fn routes() -> Routes {
    Routes::of(crate::NAME).add::<__path_jwks, _, _, _>(RateClass::General, jwks)
}

/// A JSON Web Key Set (RFC 7517).
#[derive(Debug, Serialize, ToSchema)]
pub struct Jwks {
    /// Ed25519 public keys (RFC 8037).
    #[schema(value_type = Vec<Object>)]
    pub keys: Vec<serde_json::Value>,
}

/// The public keys that access tokens are signed with
///
/// A new key stands here two minutes before it signs, an old one until its last token is dead.
#[utoipa::path(
    get, path = "/.well-known/jwks.json", tag = "auth",
    responses((status = 200, description = "The key set.", body = Jwks))
)]
pub async fn jwks(_: Anonymous, state: State<Identity>) -> Result<Reply, ApiError> {
    let reply = Reply::bare(StatusCode::OK, &state.keys.jwks())?;
    Ok(reply.with_header("cache-control", "public, max-age=60"))
}
