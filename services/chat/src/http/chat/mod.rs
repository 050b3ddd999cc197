//! `/api/chat…`

pub mod keys;
pub mod messages;
pub mod sessions;

use parlour_http::Routes;

/// Routes below `/api/chat`.
pub fn routes() -> Routes {
    sessions::routes().and(messages::routes()).and(keys::routes())
}
