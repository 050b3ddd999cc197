//! `/api/auth/…`

pub mod email_verify;
pub mod login;
pub mod login_2fa;
pub mod logout;
pub mod password_change;
pub mod password_forgot;
pub mod password_reset;
pub mod refresh;
pub mod register;
pub mod sessions;
pub mod sync;
pub mod tokens;
pub mod two_factor;

use parlour_http::Routes;

/// Routes below `/api/auth`.
pub fn routes() -> Routes {
    let routes = Routes::of(crate::NAME);
    let routes = register::route(routes);
    let routes = login::route(routes);
    let routes = login_2fa::route(routes);
    let routes = refresh::route(routes);
    let routes = logout::route(routes);
    let routes = sessions::route(routes);
    let routes = password_change::route(routes);
    let routes = password_forgot::route(routes);
    let routes = password_reset::route(routes);
    let routes = email_verify::route(routes);
    let routes = two_factor::route(routes);
    let routes = tokens::route(routes);
    sync::route(routes)
}
