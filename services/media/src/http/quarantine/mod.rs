//! `/api/media/quarantine…`

pub mod destroy;
pub mod list;
pub mod release;

use parlour_http::Routes;

/// Routes of the quarantine.
pub fn routes(routes: Routes) -> Routes {
    destroy::route(release::route(list::route(routes)))
}
