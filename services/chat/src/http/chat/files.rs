//! `POST /api/chat/files`

use actix_web::http::StatusCode;
use parlour_files::kinds::{self, Kind};
use parlour_http::{ApiError, Failure, Multipart, OnceRead, RateClass, Reply, Routes, State, Success, User};
use serde_json::Map;
use utoipa::ToSchema;
use uuid::Uuid;

use super::messages::send::say;
use super::upload::{Form, Key, Token, unsupported};
use crate::access;
use crate::domain::content;
use crate::domain::kinds::MessageKind;
use crate::sending::NewMessage;
use crate::state::Chat;
use crate::view::MessageView;
use crate::viewer::Sender;

/// Registers the route.
pub fn route(routes: Routes) -> Routes {
    routes.add::<__path_send_file, _, _, _>(RateClass::Upload, send_file)
}

/// The form.
#[derive(Debug, ToSchema)]
#[expect(dead_code, reason = "it is read piece by piece")]
pub struct FileForm {
    /// A picture or a PDF, at most 10 MB: jpg, png, gif, webp or pdf by its content.
    #[schema(value_type = String, format = Binary)]
    file: String,
    /// Where.
    session_id: Uuid,
    /// What is said about it.
    #[schema(max_length = 4000)]
    caption: Option<String>,
}

/// Sends a picture or a PDF
///
/// Others see it once it was scanned.
#[utoipa::path(
    post, path = "/api/chat/files", tag = "chat",
    request_body(content = FileForm, content_type = "multipart/form-data"),
    responses(
        (status = 201, description = "The message.", body = Success<MessageView>),
        (status = 404, description = "There is no such conversation, or not for this caller.", body = Failure),
    )
)]
pub async fn send_file(
    user: User,
    state: State<Chat>,
    token: Token,
    key: Key,
    form: Multipart,
    once: OnceRead,
) -> Result<Reply, ApiError> {
    let form = Form::read(&state, form, &["file"]).await?;
    if let Some(problem) = content::problem(&form.caption).filter(|_| !form.caption.is_empty()) {
        return Err(ApiError::field("caption", problem));
    }
    let sender = Sender::from(&*user);
    access::may_send_files(&state, sender.id, form.session_id).await?;
    let kind = match kinds::sniff(form.bytes.get(..kinds::HEAD).unwrap_or(&form.bytes)) {
        Some(Kind::Jpeg | Kind::Png | Kind::Gif | Kind::WebP) => MessageKind::Image,
        Some(Kind::Pdf) => MessageKind::File,
        _ => return Err(unsupported("file: must be jpg, png, gif, webp or pdf")),
    };
    let (file, told) = form
        .store(&state, (token, key), ("/api/media/upload", "file"))
        .await?;
    let shown = ["mime_type", "width", "height"].into_iter();
    let metadata: Map<_, _> = shown
        .filter_map(|name| {
            Some((
                name.to_owned(),
                told.get(name).filter(|it| !it.is_null())?.clone(),
            ))
        })
        .collect();
    let new = NewMessage {
        id: parlour_contracts::id::new(),
        session_id: form.session_id,
        client_id: None,
        kind,
        content: form.caption.clone(),
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
            Reply::enveloped(StatusCode::CREATED, view, Some("File sent successfully"))
        },
    )
    .await
}
