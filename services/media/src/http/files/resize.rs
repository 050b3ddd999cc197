//! `POST /api/media/files/{id}/resize`

use parlour_files::picture::{Fit, Format, Recipe, Shape};
use parlour_http::{
    ApiError, Check, Json, Once, Origin, PathId, Problems, RateClass, Reply, Routes, State, Success, User,
};
use serde::Deserialize;
use utoipa::ToSchema;

use crate::deriving::Wish;
use crate::state::Media;
use crate::view::FileData;

/// Registers the route.
pub fn route(routes: Routes) -> Routes {
    routes.add::<__path_resize_file, _, _, _>(RateClass::General, resize_file)
}

/// Another size.
#[derive(Debug, Deserialize, ToSchema)]
pub struct ResizeFile {
    /// In pixels.
    #[schema(minimum = 1, maximum = 4096)]
    pub width: u32,
    /// In pixels.
    #[schema(minimum = 1, maximum = 4096)]
    pub height: u32,
    /// `inside` (unless said otherwise: all of it, never larger than it was), `cover` (the
    /// size is filled, what does not fit is cut off) or `exact` (stretched).
    #[schema(max_length = 20)]
    pub fit: Option<String>,
    /// `jpeg`, `png` or `webp`; the picture's own when left out, PNG for a GIF.
    #[schema(max_length = 20)]
    pub format: Option<String>,
}

impl Check for ResizeFile {
    fn check(&self, problems: &mut Problems) {
        let fine = self.fit.as_deref().is_none_or(|name| fit(name).is_some());
        problems.require(fine, "fit", "must be inside, cover or exact");
        let fine = self.format.as_deref().is_none_or(|name| format(name).is_some());
        problems.require(fine, "format", "must be jpeg, png or webp");
    }
}

fn fit(name: &str) -> Option<Fit> {
    match name {
        "inside" => Some(Fit::Inside),
        "cover" => Some(Fit::Cover),
        "exact" => Some(Fit::Exact),
        _ => None,
    }
}

fn format(name: &str) -> Option<Format> {
    match name {
        "jpeg" | "jpg" => Some(Format::Jpeg),
        "png" => Some(Format::Png),
        "webp" => Some(Format::WebP),
        _ => None,
    }
}

/// Makes a picture of another size
///
/// A new file of the caller's, or the one that the same request made before.
#[utoipa::path(
    post, path = "/api/media/files/{id}/resize", tag = "media", request_body = ResizeFile,
    params(("id" = uuid::Uuid, Path, description = "The picture.")),
    responses(
        (status = 201, description = "The file that was made.", body = Success<FileData>),
        (status = 409, description = "It is no picture, or not ready."),
    )
)]
pub async fn resize_file(
    user: User,
    state: State<Media>,
    origin: Origin,
    PathId(id): PathId,
    Json(body): Json<ResizeFile>,
    once: Once,
) -> Result<Reply, ApiError> {
    let (width, height) = (body.width, body.height);
    let named = body.fit.as_deref().unwrap_or("inside");
    let as_what = body.format.as_deref().and_then(format);
    let suffix = as_what.map_or_else(String::new, |format| format!(".{}", format.kind().extension()));
    let wish = Wish {
        recipe: Recipe {
            shape: Shape::Resize {
                width,
                height,
                fit: fit(named).unwrap_or(Fit::Inside),
            },
            format: as_what,
        },
        words: format!("{width}x{height}-{named}{suffix}"),
    };
    state.0.clone().derive((user.id, id), wish, origin, once).await
}
