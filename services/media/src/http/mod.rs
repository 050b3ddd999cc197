//! The endpoints, one file each; the path mirrors the URL.

pub mod bulk_scan;
pub mod files;
pub mod quarantine;
pub mod quota;
pub mod session;
pub mod shared;
pub mod tus;
pub mod upload;

use parlour_http::Routes;

/// All public routes of the service.
pub fn routes() -> Routes {
    let routes = Routes::of(crate::NAME)
        .and(upload::routes())
        .and(files::routes())
        .and(tus::routes());
    let routes = quarantine::routes(bulk_scan::route(routes));
    shared::route(session::route(quota::route(routes)))
}

/// The answers to a request for bytes, as the documents have them.
#[derive(utoipa::IntoResponses)]
pub enum FileBytes {
    /// The whole.
    #[response(status = 200, content_type = "*/*")]
    Whole(Vec<u8>),
    /// The ranges that were asked for.
    #[response(status = 206, content_type = "*/*")]
    Parts(Vec<u8>),
    /// The client has it.
    #[response(status = 304)]
    NotModified,
    /// It is not the one that the client meant.
    #[response(status = 412)]
    Failed,
    /// There are no such ranges.
    #[response(status = 416)]
    Nothing,
}
