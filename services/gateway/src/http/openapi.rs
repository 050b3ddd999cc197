//! `GET /openapi.json`

use actix_web::HttpResponse;
use parlour_http::{Anonymous, ApiError, State};

use crate::merge;
use crate::shared::Shared;

/// This document: every operation of every service that is deployed
#[utoipa::path(
    get,
    path = "/openapi.json",
    tag = "documents",
    responses((status = 200, description = "An OpenAPI 3.1 document", body = serde_json::Value))
)]
pub(crate) async fn openapi_document(_: Anonymous, shared: State<Shared>) -> Result<HttpResponse, ApiError> {
    Ok(HttpResponse::Ok()
        .content_type("application/json")
        .insert_header(("cache-control", "no-cache"))
        .body(merge::document(&shared)))
}
