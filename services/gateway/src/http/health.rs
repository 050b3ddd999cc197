//! `GET /health`, `GET /api/health`

use actix_web::http::StatusCode;
use parlour_http::{Anonymous, ApiError, Reply, State};

use crate::health::{Platform, Status, platform};
use crate::shared::Shared;

/// How the platform and each of its services are
#[utoipa::path(
    get,
    path = "/health",
    tag = "health",
    responses(
        (status = 200, description = "It can do its work, or some of it", body = Platform),
        (status = 503, description = "No service can do its work", body = Platform),
    )
)]
pub(crate) async fn health(_: Anonymous, shared: State<Shared>) -> Result<Reply, ApiError> {
    answer(&shared).await
}

/// How the platform and each of its services are; the same as `/health`
#[utoipa::path(
    get,
    path = "/api/health",
    tag = "health",
    responses(
        (status = 200, description = "It can do its work, or some of it", body = Platform),
        (status = 503, description = "No service can do its work", body = Platform),
    )
)]
pub(crate) async fn api_health(_: Anonymous, shared: State<Shared>) -> Result<Reply, ApiError> {
    answer(&shared).await
}

async fn answer(shared: &Shared) -> Result<Reply, ApiError> {
    let platform = platform(shared).await;
    let reply = Reply::bare(status(platform.status), &*platform)?;
    Ok(reply.with_header("cache-control", "no-store"))
}

/// What tells a load balancer to look elsewhere.
pub(super) fn status(status: Status) -> StatusCode {
    match status {
        Status::Healthy | Status::Degraded => StatusCode::OK,
        Status::Unhealthy => StatusCode::SERVICE_UNAVAILABLE,
    }
}
