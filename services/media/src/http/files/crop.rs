//! `POST /api/media/files/{id}/crop`

use parlour_files::picture::{Recipe, Shape};
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
    routes.add::<__path_crop_file, _, _, _>(RateClass::General, crop_file)
}

/// Which part, in pixels of the upright picture.
#[derive(Debug, Deserialize, ToSchema)]
pub struct CropFile {
    /// From the left.
    #[schema(minimum = 0, maximum = 100_000)]
    pub x: u32,
    /// From the top.
    #[schema(minimum = 0, maximum = 100_000)]
    pub y: u32,
    /// Its width.
    #[schema(minimum = 1, maximum = 8192)]
    pub width: u32,
    /// Its height.
    #[schema(minimum = 1, maximum = 8192)]
    pub height: u32,
}

impl Check for CropFile {}

/// Cuts a part out of a picture
///
/// A new file of the caller's, or the one that the same request made before. A part that is not
/// wholly inside the picture is a 400.
#[utoipa::path(
    post, path = "/api/media/files/{id}/crop", tag = "media", request_body = CropFile,
    params(("id" = uuid::Uuid, Path, description = "The picture.")),
    responses(
        (status = 201, description = "The file that was made.", body = Success<FileData>),
        (status = 409, description = "It is no picture, or not ready."),
    )
)]
pub async fn crop_file(
    user: User,
    state: State<Media>,
    origin: Origin,
    PathId(id): PathId,
    Json(body): Json<CropFile>,
    once: Once,
) -> Result<Reply, ApiError> {
    let CropFile { x, y, width, height } = body;
    let wish = Wish {
        recipe: Recipe {
            shape: Shape::Crop { x, y, width, height },
            format: None,
        },
        words: format!("crop-{width}x{height}-{x}-{y}"),
    };
    state.0.clone().derive((user.id, id), wish, origin, once).await
}
