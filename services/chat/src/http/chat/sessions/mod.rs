//! `/api/chat/sessions…`

pub mod create;
pub mod detail;
pub mod list;

use parlour_http::Routes;

/// Routes below `/api/chat/sessions`.
pub fn routes() -> Routes {
    detail::route(create::route(list::route(Routes::of(crate::NAME))))
}
