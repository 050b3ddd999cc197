//! SafeTalk's `/chat/…`

pub mod groups;
pub mod messages;
pub mod pages;
pub mod session;
pub mod start_chat;

use parlour_http::Routes;

/// SafeTalk's routes.
pub fn routes() -> Routes {
    let routes = messages::route(Routes::of(crate::NAME));
    start_chat::route(session::route(routes)).and(groups::routes())
}
