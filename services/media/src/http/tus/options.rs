//! `OPTIONS /api/media/tus/`

use actix_web::HttpResponse;
use parlour_http::{Anonymous, ApiError, RateClass, Routes, State};

use super::{RESUMABLE, VERSION};
use crate::domain::tus::Checksum;
use crate::state::Media;

/// Registers the route.
pub fn route(routes: Routes) -> Routes {
    routes.add::<__path_tus_options, _, _, _>(RateClass::General, tus_options)
}

/// What this side of the tus protocol can do
#[utoipa::path(
    options, path = "/api/media/tus/", tag = "media",
    responses((status = 204, description = "In the headers Tus-Version, Tus-Extension, Tus-Max-Size and Tus-Checksum-Algorithm."))
)]
pub async fn tus_options(_: Anonymous, state: State<Media>) -> Result<HttpResponse, ApiError> {
    let most = state.settings.most_bytes.any().to_string();
    let mut response = HttpResponse::NoContent();
    for (name, value) in [
        (RESUMABLE, VERSION),
        ("tus-version", VERSION),
        ("tus-extension", "creation,expiration,checksum,termination"),
        ("tus-max-size", most.as_str()),
        ("tus-checksum-algorithm", Checksum::ALGORITHMS),
    ] {
        response.insert_header((name, value));
    }
    Ok(response.finish())
}
