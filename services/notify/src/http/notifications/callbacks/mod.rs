//! `/api/notifications/callbacks/…`: what providers report of messages that they took.

pub mod twilio;

use parlour_http::Routes;

/// Registers the routes.
pub fn route(routes: Routes) -> Routes {
    twilio::route(routes)
}
