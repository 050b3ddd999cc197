//! SafeTalk's bare paths.

pub mod login;
pub mod logout;
pub mod profile;
pub mod register;

use parlour_http::Routes;

/// SafeTalk's routes.
pub fn routes() -> Routes {
    let routes = Routes::of(crate::NAME);
    profile::route(logout::route(login::route(register::route(routes))))
}
