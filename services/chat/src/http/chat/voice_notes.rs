//! `POST /api/chat/voice-notes`

use actix_web::http::StatusCode;
use parlour_files::audio;
use parlour_files::kinds::{self, Kind};
use parlour_http::{ApiError, Failure, Multipart, OnceRead, RateClass, Reply, Routes, State, Success, User};
use serde_json::{Map, json};
use utoipa::ToSchema;
use uuid::Uuid;

use super::messages::send::say;
use super::upload::{Form, Key, Token, unsupported};
use crate::access;
use crate::domain::kinds::MessageKind;
use crate::sending::NewMessage;
use crate::state::Chat;
use crate::view::MessageView;
use crate::viewer::Sender;

/// Registers the route.
pub fn route(routes: Routes) -> Routes {
    routes.add::<__path_send_voice_note, _, _, _>(RateClass::Voice, send_voice_note)
}

/// The form.
#[derive(Debug, ToSchema)]
#[expect(dead_code, reason = "it is read piece by piece")]
pub struct VoiceNoteForm {
    /// A recording, at most 10 MB: mp3, wav, ogg or webm by its content; `file` does as well.
    #[schema(value_type = String, format = Binary)]
    voice_note: String,
    /// Where.
    session_id: Uuid,
    /// Seconds, as the sender knows them; what is measured counts.
    duration: Option<f64>,
}

/// Sends a voice note
///
/// Others see it once it was scanned, and a reader's once a monitor has approved it.
#[utoipa::path(
    post, path = "/api/chat/voice-notes", tag = "chat",
    request_body(content = VoiceNoteForm, content_type = "multipart/form-data"),
    responses(
        (status = 201, description = "The message.", body = Success<MessageView>),
        (status = 404, description = "There is no such conversation, or not for this caller.", body = Failure),
    )
)]
pub async fn send_voice_note(
    user: User,
    state: State<Chat>,
    token: Token,
    key: Key,
    form: Multipart,
    once: OnceRead,
) -> Result<Reply, ApiError> {
    let form = Form::read(&state, form, &["voice_note", "file"]).await?;
    let sender = Sender::from(&*user);
    access::may_send_files(&state, sender.id, form.session_id).await?;
    let format = match kinds::sniff(form.bytes.get(..kinds::HEAD).unwrap_or(&form.bytes)) {
        Some(kind @ Kind::Mp3) => (kind, "mp3"),
        Some(kind @ Kind::Wav) => (kind, "wav"),
        Some(kind @ Kind::Ogg) => (kind, "ogg"),
        Some(kind @ Kind::WebmAudio) => (kind, "webm"),
        _ => return Err(unsupported("voice_note: must be mp3, wav, ogg or webm")),
    };
    let bytes = form.bytes.clone();
    let measured = tokio::task::spawn_blocking(move || audio::probe(format.0, &bytes)).await;
    let facts = measured.map_err(ApiError::internal)?;
    let facts = facts.ok_or_else(|| unsupported("voice_note: cannot be played"))?;
    let place = ("/api/media/upload-voice-note", "voice_note");
    let (file, _) = form.store(&state, (token, key), place).await?;
    #[expect(
        clippy::cast_precision_loss,
        reason = "recordings are shorter than 2^52 milliseconds"
    )]
    let seconds = facts.duration_ms as f64 / 1000.0;
    let metadata = Map::from_iter([
        ("duration".to_owned(), json!(seconds)),
        ("audio_format".to_owned(), json!(format.1)),
    ]);
    let new = NewMessage {
        id: parlour_contracts::id::new(),
        session_id: form.session_id,
        client_id: None,
        kind: MessageKind::Voice,
        content: String::new(),
        metadata: Some(metadata),
        file: Some(file),
        origin: None,
    };
    say(
        &state,
        sender,
        new,
        once.covering(form.digest),
        |chat, message| {
            let view = MessageView::sent(chat, message);
            Reply::enveloped(StatusCode::CREATED, view, Some("Voice note sent successfully"))
        },
    )
    .await
}
