//! `POST /api/media/upload-voice-note`

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
    routes.add::<__path_upload_voice_note, _, _, _>(RateClass::Upload, upload_voice_note)
}

/// The form.
#[derive(Debug, ToSchema)]
#[expect(dead_code, reason = "it is read piece by piece")]
pub struct VoiceNoteForm {
    /// A recording; `file` does as well.
    #[schema(value_type = String, format = Binary)]
    voice_note: String,
    /// Seconds, as the sender knows them; what was measured counts later.
    duration: Option<f64>,
    #[schema(max_length = 2000)]
    description: Option<String>,
    #[schema(max_length = 200)]
    folder: Option<String>,
}

const WANTED: Wanted = Wanted {
    names: &["voice_note", "file"],
    most: 1,
    each: false,
};

/// Uploads a voice note
///
/// Its duration and waveform are there once it was scanned.
#[utoipa::path(
    post, path = "/api/media/upload-voice-note", tag = "media",
    request_body(content = VoiceNoteForm, content_type = "multipart/form-data"),
    responses(
        (status = 201, description = "The file.", body = Success<FileData>),
        (status = 422, description = "The file is harmful."),
    )
)]
pub async fn upload_voice_note(
    user: User,
    state: State<Media>,
    origin: Origin,
    form: Multipart,
    once: OnceRead,
) -> Result<Reply, ApiError> {
    let mut form = Form::read(&state, form, WANTED).await?;
    let received = of_group(form.one()?, Group::Audio)?;
    let about = About {
        id: id::new(),
        owner: user.id,
        purpose: "voice_note",
        folder: std::mem::take(&mut form.folder),
        description: form.description.take(),
        duration_ms: form.duration_ms,
        ..About::default()
    };
    store_alone(once.covering(form.digest()), &state, received, about, origin).await
}
