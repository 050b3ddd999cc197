//! `/api/admin/users…`

pub mod grants;
pub mod users;

use parlour_http::Routes;

/// Routes below `/api/admin`.
pub fn routes() -> Routes {
    grants::route(users::route(Routes::of(crate::NAME)))
}
