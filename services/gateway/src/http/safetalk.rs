//! `GET /health/`, `GET /status/`, `GET /metrics/`: the shapes that SafeTalk's frontends know.

use std::collections::BTreeMap;
use std::time::Instant;

use actix_web::http::StatusCode;
use chrono::{TimeDelta, Utc};
use parlour_chassis::VERSION;
use parlour_http::{Anonymous, ApiError, Reply, Staff, State, Time};
use serde::Serialize;
use utoipa::ToSchema;

use super::health::status;
use crate::health::{ApiHealth, Status, platform};
use crate::shared::Shared;

/// SafeTalk's `/health/`.
#[derive(Serialize, ToSchema)]
pub(crate) struct SafeTalkHealth {
    status: Status,
    timestamp: Time,
    version: &'static str,
}

/// SafeTalk's `/status/`.
#[derive(Serialize, ToSchema)]
pub(crate) struct SafeTalkStatus {
    status: Status,
    /// Whether every service reaches its database.
    database: Status,
    /// The processes' own caches.
    cache: Status,
    timestamp: Time,
}

/// What one route has done since the gateway started.
#[derive(Serialize, ToSchema)]
pub(crate) struct RouteMetrics {
    average_duration_ms: f64,
    request_count: u64,
    last_request: Time,
}

/// Whether the platform is well, in SafeTalk's shape
#[utoipa::path(
    get,
    path = "/health/",
    tag = "health",
    responses(
        (status = 200, description = "It can do its work, or some of it", body = SafeTalkHealth),
        (status = 503, description = "No service can do its work", body = SafeTalkHealth),
    )
)]
pub(crate) async fn safetalk_health(_: Anonymous, shared: State<Shared>) -> Result<Reply, ApiError> {
    let whole = platform(&shared).await.status;
    let body = SafeTalkHealth {
        status: whole,
        timestamp: Utc::now().into(),
        version: VERSION,
    };
    Reply::bare(status(whole), &body)
}

/// How the parts of the platform are, in SafeTalk's shape
#[utoipa::path(
    get,
    path = "/status/",
    tag = "health",
    responses(
        (status = 200, description = "It can do its work, or some of it", body = SafeTalkStatus),
        (status = 503, description = "No service can do its work", body = SafeTalkStatus),
    )
)]
pub(crate) async fn safetalk_status(_: Anonymous, shared: State<Shared>) -> Result<Reply, ApiError> {
    let platform = platform(&shared).await;
    let down = platform.apis.values().any(|health| *health == ApiHealth::Down);
    let body = SafeTalkStatus {
        status: platform.status,
        database: if down { Status::Unhealthy } else { Status::Healthy },
        cache: Status::Healthy,
        timestamp: Utc::now().into(),
    };
    Reply::bare(status(platform.status), &body)
}

/// What each route of this gateway has done since it started
#[utoipa::path(
    get,
    path = "/metrics/",
    tag = "health",
    responses((status = 200, description = "By method and route", body = BTreeMap<String, RouteMetrics>))
)]
pub(crate) async fn safetalk_metrics(_: Staff, shared: State<Shared>) -> Result<Reply, ApiError> {
    let (now, here) = (Utc::now(), Instant::now());
    let routes = shared.stats.sum().into_iter().map(|(route, tally)| {
        let ago = here.saturating_duration_since(tally.last);
        let metrics = RouteMetrics {
            average_duration_ms: tally.average_ms(),
            request_count: tally.requests,
            last_request: (now - TimeDelta::from_std(ago).unwrap_or_default()).into(),
        };
        (route, metrics)
    });
    Reply::bare(StatusCode::OK, &routes.collect::<BTreeMap<_, _>>())
}
