//! The endpoints, one file each; the path mirrors the URL.

pub mod chat;
pub mod safetalk;

use parlour_http::Routes;

/// All public routes of the service.
pub fn routes() -> Routes {
    Routes::of(crate::NAME)
        .and(chat::routes())
        .and(safetalk::routes())
}
