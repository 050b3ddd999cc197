//! SafeTalk's paths.

pub mod mark_read;
pub mod unread;

use parlour_http::Routes;

/// Bare paths.
pub fn routes() -> Routes {
    let routes = Routes::of(crate::NAME);
    mark_read::route(unread::route(routes))
}
