//! `/api/chat/messages…`

pub mod list;
pub mod read;
pub mod send;

use parlour_http::Routes;

/// Routes below `/api/chat/messages`.
pub fn routes() -> Routes {
    read::route(send::route(list::route(Routes::of(crate::NAME))))
}
