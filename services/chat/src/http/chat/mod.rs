//! `/api/chat…`

pub mod files;
pub mod keys;
pub mod messages;
pub mod sessions;
pub mod upload;
pub mod voice_notes;

use parlour_http::Routes;

/// Routes below `/api/chat`.
pub fn routes() -> Routes {
    let files = files::route(voice_notes::route(Routes::of(crate::NAME)));
    sessions::routes()
        .and(messages::routes())
        .and(files)
        .and(keys::routes())
}
