//! `POST /api/media/upload`

use std::sync::Arc;

use parlour_contracts::id;
use parlour_db::{Scope, Tx};
use parlour_http::{
    ApiError, Multipart, Once, OnceRead, Origin, RateClass, Reply, Routes, State, Success, User,
};
use utoipa::ToSchema;

use super::form::{Form, Wanted};
use crate::error::Error;
use crate::receiving::Received;
use crate::state::Media;
use crate::storing::About;
use crate::view::FileData;

/// Registers the route.
pub fn route(routes: Routes) -> Routes {
    routes.add::<__path_upload, _, _, _>(RateClass::Upload, upload)
}

/// The form.
#[derive(Debug, ToSchema)]
#[expect(dead_code, reason = "it is read piece by piece")]
pub struct UploadForm {
    #[schema(value_type = String, format = Binary)]
    file: String,
    #[schema(max_length = 2000)]
    description: Option<String>,
    #[schema(max_length = 200)]
    folder: Option<String>,
}

const WANTED: Wanted = Wanted {
    names: &["file"],
    most: 1,
    each: false,
};

/// Uploads one file
///
/// It is what its content is, whatever its name says. Nobody but its owner sees it before it was scanned.
#[utoipa::path(
    post, path = "/api/media/upload", tag = "media",
    request_body(content = UploadForm, content_type = "multipart/form-data"),
    responses(
        (status = 201, description = "The file.", body = Success<FileData>),
        (status = 422, description = "The file is harmful."),
    )
)]
pub async fn upload(
    user: User,
    state: State<Media>,
    origin: Origin,
    form: Multipart,
    once: OnceRead,
) -> Result<Reply, ApiError> {
    let mut form = Form::read(&state, form, WANTED).await?;
    let received = form.one()?;
    let about = About {
        id: id::new(),
        owner: user.id,
        purpose: "file",
        folder: std::mem::take(&mut form.folder),
        description: form.description.take(),
        ..About::default()
    };
    store_alone(once.covering(form.digest()), &state, received, about, origin).await
}

/// Stores a form's only file in a transaction of its own.
pub(super) async fn store_alone(
    once: Once,
    state: &State<Media>,
    received: Arc<Received>,
    about: About,
    origin: Origin,
) -> Result<Reply, ApiError> {
    let state = state.0.clone();
    once.write(
        Scope::Person(about.owner),
        async move |tx: &mut Tx| -> Result<Reply, Error> {
            store_one(&state, tx, &received, &about, &origin).await
        },
    )
    .await
}

/// Stores a file and answers 201 with it.
pub(super) async fn store_one(
    state: &Arc<Media>,
    tx: &mut Tx,
    received: &Received,
    about: &About,
    origin: &Origin,
) -> Result<Reply, Error> {
    let file = state.store(tx, received, about, origin).await?;
    let file = state.show_one(&file, &[], Some(about.owner))?;
    Ok(Reply::created(FileData { file })?)
}
