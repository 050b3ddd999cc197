//! `/api/media/upload…`

pub mod form;
pub mod single;

use parlour_http::Routes;

/// Routes of uploads.
pub fn routes() -> Routes {
    let routes = Routes::of(crate::NAME);
    single::route(routes)
}
