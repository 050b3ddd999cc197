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
