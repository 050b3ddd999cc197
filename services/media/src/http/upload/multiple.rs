//! `POST /api/media/upload-multiple`

use std::sync::Arc;

use actix_web::http::StatusCode;
use parlour_contracts::id;
use parlour_db::{Scope, Tx};
use parlour_http::{ApiError, Multipart, OnceRead, Origin, RateClass, Reply, Routes, State, Success, User};
use serde::Serialize;
use utoipa::ToSchema;

use super::form::{Form, Wanted};
use crate::error::Error;
use crate::receiving::Received;
use crate::state::Media;
use crate::storing::About;
use crate::view::FileView;

/// Registers the route.
pub fn route(routes: Routes) -> Routes {
    routes.add::<__path_upload_multiple, _, _, _>(RateClass::Upload, upload_multiple)
}

/// The form.
#[derive(Debug, ToSchema)]
#[expect(dead_code, reason = "it is read piece by piece")]
pub struct MultipleForm {
    /// Several files, each in a field of this name; `file` does as well.
    #[schema(value_type = Vec<String>)]
    files: Vec<String>,
    #[schema(max_length = 2000)]
    description: Option<String>,
    #[schema(max_length = 200)]
    folder: Option<String>,
}

/// What became of one file.
#[derive(Debug, Serialize, ToSchema)]
pub struct Uploaded {
    /// As it was sent.
    pub name: String,
    /// Whether it is stored.
    pub success: bool,
    /// The file, when it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<FileView>,
    /// Why it is not, when it is not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// The same as a stable code.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
}

/// `{files}`
#[derive(Debug, Serialize, ToSchema)]
pub struct UploadedData {
    /// In the order of the form.
    pub files: Vec<Uploaded>,
}

/// Uploads several files
///
/// Each is stored or refused for itself: 201 when all are stored, else 207.
#[utoipa::path(
    post, path = "/api/media/upload-multiple", tag = "media",
    request_body(content = MultipleForm, content_type = "multipart/form-data"),
    responses(
        (status = 201, description = "All files.", body = Success<UploadedData>),
        (status = 207, description = "What became of each file.", body = Success<UploadedData>),
    )
)]
pub async fn upload_multiple(
    user: User,
    state: State<Media>,
    origin: Origin,
    form: Multipart,
    once: OnceRead,
) -> Result<Reply, ApiError> {
    let wanted = Wanted {
        names: &["files", "files[]", "file"],
        most: state.settings.files_per_request.into(),
        each: true,
    };
    let mut form = Form::read(&state, form, wanted).await?;
    let about = About {
        owner: user.id,
        purpose: "file",
        folder: std::mem::take(&mut form.folder),
        description: form.description.take(),
        ..About::default()
    };
    let (once, state) = (once.covering(form.digest()), state.0.clone());
    let (work, origin) = (form.files, Arc::new(origin));
    once.write(
        Scope::Person(user.id),
        async move |tx: &mut Tx| -> Result<Reply, Error> {
            let files = store_each(&state, tx, work, about, origin).await?;
            let all = files.iter().all(|file| file.success);
            let status = if all {
                StatusCode::CREATED
            } else {
                StatusCode::MULTI_STATUS
            };
            Ok(Reply::enveloped(status, UploadedData { files }, None)?)
        },
    )
    .await
}

/// Stores what was received, in the order of the contents: two requests with the same files
/// must not wait for each other.
async fn store_each(
    state: &Arc<Media>,
    tx: &mut Tx,
    files: Vec<(String, Result<Arc<Received>, Error>)>,
    about: About,
    origin: Arc<parlour_http::Origin>,
) -> Result<Vec<Uploaded>, Error> {
    let mut answers: Vec<(usize, Uploaded)> = Vec::new();
    let mut received = Vec::new();
    for (place, (name, result)) in files.into_iter().enumerate() {
        match result {
            Ok(file) => received.push((state.fingerprint(&file.digest), place, name, file)),
            Err(error) => answers.push((place, refused(name, error))),
        }
    }
    received.sort_by(|one, other| one.0.cmp(&other.0));
    for (_, place, name, file) in received {
        let mut about = about.clone();
        about.id = id::new();
        let (state, origin) = (state.clone(), origin.clone());
        let stored = tx
            .savepoint(async move |tx: &mut Tx| -> Result<FileView, Error> {
                let stored = state.store(tx, &file, &about, &origin).await?;
                state.show_one(&stored, &[], Some(about.owner))
            })
            .await;
        let answer = match stored {
            Ok(file) => Uploaded {
                name,
                success: true,
                file: Some(file),
                error: None,
                code: None,
            },
            Err(error @ Error::Quota(_)) => refused(name, error),
            Err(error) => return Err(error),
        };
        answers.push((place, answer));
    }
    answers.sort_by_key(|(place, _)| *place);
    Ok(answers.into_iter().map(|(_, answer)| answer).collect())
}

fn refused(name: String, error: Error) -> Uploaded {
    let error = ApiError::from(error);
    Uploaded {
        name,
        success: false,
        file: None,
        error: Some(error.message.into_owned()),
        code: Some(error.code.into_owned()),
    }
}
