//! `/api/media/files…`

pub mod change;
pub mod copy;
pub mod delete;
pub mod detail;
pub mod download;
pub mod list;
pub mod restore;
pub mod share;
pub mod unshare;

use parlour_http::Routes;

/// Routes below `/api/media/files`.
pub fn routes() -> Routes {
    let routes = Routes::of(crate::NAME);
    let routes = list::route(detail::route(download::routes(routes)));
    let routes = copy::route(change::routes(routes));
    let routes = delete::route(restore::route(routes));
    share::route(unshare::route(routes))
}
