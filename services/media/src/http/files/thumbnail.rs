//! `POST /api/media/files/{id}/thumbnail`

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
    routes.add::<__path_make_thumbnail, _, _, _>(RateClass::General, make_thumbnail)
}

/// How large.
#[derive(Debug, Deserialize, ToSchema)]
pub struct MakeThumbnail {
    /// The side of the square that it fits into, in pixels.
    #[schema(minimum = 16, maximum = 2048)]
    pub size: u32,
}

impl Check for MakeThumbnail {}

/// Makes a thumbnail
///
/// A new file of the caller's, or the one that the same request made before. Every picture has
/// thumbnails of three sizes without asking.
#[utoipa::path(
    post, path = "/api/media/files/{id}/thumbnail", tag = "media", request_body = MakeThumbnail,
    params(("id" = uuid::Uuid, Path, description = "The picture.")),
    responses(
        (status = 201, description = "The file that was made.", body = Success<FileData>),
        (status = 409, description = "It is no picture, or not ready."),
    )
)]
pub async fn make_thumbnail(
    user: User,
    state: State<Media>,
    origin: Origin,
    PathId(id): PathId,
    Json(body): Json<MakeThumbnail>,
    once: Once,
) -> Result<Reply, ApiError> {
    let wish = Wish {
        recipe: Recipe {
            shape: Shape::thumbnail(body.size),
            format: None,
        },
        words: format!("thumbnail-{}", body.size),
    };
    state.0.clone().derive((user.id, id), wish, origin, once).await
}
