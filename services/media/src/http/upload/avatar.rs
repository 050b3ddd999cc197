//! `POST /api/media/upload-avatar`

use parlour_contracts::id;
use parlour_files::kinds::Group;
use parlour_http::{ApiError, Multipart, OnceRead, Origin, RateClass, Reply, Routes, State, Success, User};
use utoipa::ToSchema;

use super::form::{Form, Wanted, of_group};
use super::single::store_alone;
use crate::state::Media;
use crate::storing::About;
use crate::view::FileData;

/// Registers the route.
pub fn route(routes: Routes) -> Routes {
    routes.add::<__path_upload_avatar, _, _, _>(RateClass::Upload, upload_avatar)
}

/// The form.
#[derive(Debug, ToSchema)]
#[expect(dead_code, reason = "it is read piece by piece")]
pub struct AvatarForm {
    /// A picture; `file` does as well.
    #[schema(value_type = String, format = Binary)]
    avatar: String,
}

const WANTED: Wanted = Wanted {
    names: &["avatar", "file"],
    most: 1,
    each: false,
};

/// Uploads the caller's picture
///
/// It becomes the picture of their profile once it was found clean.
#[utoipa::path(
    post, path = "/api/media/upload-avatar", tag = "media",
    request_body(content = AvatarForm, content_type = "multipart/form-data"),
    responses(
        (status = 201, description = "The file.", body = Success<FileData>),
        (status = 422, description = "The file is harmful."),
    )
)]
pub async fn upload_avatar(
    user: User,
    state: State<Media>,
    origin: Origin,
    form: Multipart,
    once: OnceRead,
) -> Result<Reply, ApiError> {
    let mut form = Form::read(&state, form, WANTED).await?;
    let received = of_group(form.one()?, Group::Image)?;
    let about = About {
        id: id::new(),
        owner: user.id,
        purpose: "avatar",
        ..About::default()
    };
    store_alone(once.covering(form.digest()), &state, received, about, origin).await
}
