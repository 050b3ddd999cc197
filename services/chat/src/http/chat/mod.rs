//! `/api/chat…`

pub mod messages;

use parlour_http::Routes;

/// Routes below `/api/chat`.
pub fn routes() -> Routes {
    messages::routes()
}
