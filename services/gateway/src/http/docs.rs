//! `GET /docs`

use actix_web::http::Method;
use actix_web::{HttpRequest, HttpResponse};
use parlour_http::{Anonymous, ApiError};

/// The page runs what it brings and talks to this address alone.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
     connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const PAGE: &str = include_str!("assets/docs.html");

/// Name, type and content of what the page loads.
const ASSETS: [(&str, &str, &[u8]); 5] = [
    (
        "docs.js",
        "text/javascript; charset=utf-8",
        include_bytes!("assets/docs.js"),
    ),
    (
        "docs.css",
        "text/css; charset=utf-8",
        include_bytes!("assets/docs.css"),
    ),
    (
        "swagger-ui-bundle.js",
        "text/javascript; charset=utf-8",
        include_bytes!(concat!(env!("OUT_DIR"), "/swagger-ui-bundle.js")),
    ),
    (
        "swagger-ui.css",
        "text/css; charset=utf-8",
        include_bytes!(concat!(env!("OUT_DIR"), "/swagger-ui.css")),
    ),
    (
        "favicon.png",
        "image/png",
        include_bytes!(concat!(env!("OUT_DIR"), "/favicon-32x32.png")),
    ),
];

/// The reference of this interface as a page
#[utoipa::path(
    get,
    path = "/docs",
    tag = "documents",
    responses((status = 200, description = "The page", body = String, content_type = "text/html"))
)]
pub(crate) async fn docs(_: Anonymous) -> Result<HttpResponse, ApiError> {
    Ok(HttpResponse::Ok()
        .content_type("text/html; charset=utf-8")
        .insert_header(("content-security-policy", POLICY))
        .insert_header(("cache-control", "no-cache"))
        .body(PAGE))
}

/// A file of the page, if that is what is asked for. They are no operations of the interface.
pub(crate) fn asset(request: &HttpRequest) -> Option<HttpResponse> {
    let wanted = request.path().strip_prefix("/docs/")?;
    let (_, kind, content) = ASSETS.iter().find(|(name, ..)| *name == wanted)?;
    let reads = matches!(*request.method(), Method::GET | Method::HEAD);
    reads.then(|| {
        HttpResponse::Ok()
            .content_type(*kind)
            .insert_header(("content-security-policy", POLICY))
            .insert_header(("cache-control", "public, max-age=3600"))
            .body(*content)
    })
}
