//! The endpoints, one file each; the path mirrors the URL.

pub mod admin;
pub mod auth;
pub mod internal;
pub mod meta;
pub mod profile;
pub mod safetalk;
pub mod verify;
pub mod well_known;

use parlour_http::Routes;

/// All public routes of the service.
pub fn routes() -> Routes {
    Routes::of(crate::NAME)
        .and(auth::routes())
        .and(verify::routes())
        .and(meta::routes())
        .and(profile::routes())
        .and(admin::routes())
        .and(safetalk::routes())
        .and(well_known::routes())
}
