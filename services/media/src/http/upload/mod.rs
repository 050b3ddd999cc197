//! `/api/media/upload…`

pub mod avatar;
pub mod form;
pub mod multiple;
pub mod session_media;
pub mod single;
pub mod voice_note;

use parlour_http::Routes;

/// Routes of uploads.
pub fn routes() -> Routes {
    let routes = Routes::of(crate::NAME);
    let routes = multiple::route(single::route(routes));
    voice_note::route(session_media::route(avatar::route(routes)))
}
