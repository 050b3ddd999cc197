//! `/api/media/files…`

pub mod change;
pub mod copy;
pub mod crop;
pub mod delete;
pub mod detail;
pub mod download;
pub mod list;
pub mod resize;
pub mod restore;
pub mod scan;
pub mod share;
pub mod thumbnail;
pub mod thumbnails;
pub mod unshare;

use parlour_http::Routes;

/// Routes below `/api/media/files`.
pub fn routes() -> Routes {
    let routes = Routes::of(crate::NAME);
    let routes = list::route(detail::route(download::routes(routes)));
    let routes = copy::route(change::routes(routes));
    let routes = delete::route(restore::route(routes));
    let routes = share::route(unshare::route(routes));
    let routes = resize::route(thumbnail::route(crop::route(routes)));
    thumbnails::route(scan::route(routes))
}
