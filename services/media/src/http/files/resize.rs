//! `POST /api/media/files/{id}/resize`

use parlour_files::picture::{Fit, Format, Recipe, Shape};
use parlour_http::{
    ApiError, Check, Json, Once, Origin, PathId, RateClass, Reply, Routes, State, Success, User,
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
    /// `inside` when left out.
    pub fit: Option<FitName>,
    /// The picture's own when left out, PNG for a GIF.
    pub format: Option<FormatName>,
}

impl Check for ResizeFile {}

/// How a picture is brought to a size.
#[derive(Clone, Copy, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum FitName {
    /// All of it, never larger than it was.
    Inside,
    /// The size is filled; what does not fit is cut off.
    Cover,
    /// Stretched.
    Exact,
}

/// What a picture is written as.
#[derive(Clone, Copy, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
#[expect(missing_docs, reason = "the names say it")]
pub enum FormatName {
    Jpeg,
    Png,
    Webp,
}

impl FitName {
    const fn named(self) -> (Fit, &'static str) {
        match self {
            Self::Inside => (Fit::Inside, "inside"),
            Self::Cover => (Fit::Cover, "cover"),
            Self::Exact => (Fit::Exact, "exact"),
        }
    }
}

impl From<FormatName> for Format {
    fn from(name: FormatName) -> Self {
        match name {
            FormatName::Jpeg => Self::Jpeg,
            FormatName::Png => Self::Png,
            FormatName::Webp => Self::WebP,
        }
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
    let (fit, named) = body.fit.unwrap_or(FitName::Inside).named();
    let as_what = body.format.map(Format::from);
    let suffix = as_what.map_or_else(String::new, |format| format!(".{}", format.kind().extension()));
    let wish = Wish {
        recipe: Recipe {
            shape: Shape::Resize { width, height, fit },
            format: as_what,
        },
        words: format!("{width}x{height}-{named}{suffix}"),
    };
    state.0.clone().derive((user.id, id), wish, origin, once).await
}
