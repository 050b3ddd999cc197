//! `/api/notifications…`

pub mod broadcast;
pub mod callbacks;
pub mod delete;
pub mod deliveries;
pub mod emergency;
pub mod jobs;
pub mod list;
pub mod mark_all_read;
pub mod priority;
pub mod push_subscriptions;
pub mod read;
pub mod realtime;
pub mod send;
pub mod send_bulk;
pub mod send_to_role;
pub mod settings;
pub mod templates;
pub mod unread_count;

use parlour_http::Routes;
use serde::Serialize;
use utoipa::ToSchema;

/// Nothing to tell.
#[derive(Debug, Default, Serialize, ToSchema)]
#[schema(as = NotifyNothing)]
pub struct Nothing {}

/// Routes below `/api/notifications`.
pub fn routes() -> Routes {
    let routes = Routes::of(crate::NAME);
    let routes = list::route(routes);
    let routes = unread_count::route(routes);
    let routes = read::route(routes);
    let routes = mark_all_read::route(routes);
    let routes = delete::route(routes);
    let routes = settings::route(routes);
    let routes = templates::route(routes);
    let routes = push_subscriptions::route(routes);
    let routes = send::route(routes);
    let routes = send_to_role::route(routes);
    let routes = send_bulk::route(routes);
    let routes = broadcast::route(routes);
    let routes = jobs::route(routes);
    let routes = deliveries::route(routes);
    let routes = realtime::route(routes);
    let routes = emergency::route(routes);
    let routes = callbacks::route(routes);
    priority::route(routes)
}
