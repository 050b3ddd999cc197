//! `POST /chat/session/{session_id}/`

use actix_web::http::StatusCode;
use parlour_http::{ApiError, Check, Json, Once, Problems, RateClass, Reply, Routes, State, User};
use serde::Deserialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::pages::{SafeMessage, SessionId};
use crate::domain::content;
use crate::domain::kinds::MessageKind;
use crate::http::chat::messages::send::say;
use crate::message::Message;
use crate::sending::NewMessage;
use crate::state::Chat;
use crate::viewer::Sender;

/// Registers the route.
pub fn route(routes: Routes) -> Routes {
    routes.add::<__path_send_to_session, _, _, _>(RateClass::Message, send_to_session)
}

/// What is said.
#[derive(Debug, Deserialize, ToSchema)]
pub struct SafeSend {
    /// The words, from 1 to 4000 characters.
    #[schema(min_length = 1, max_length = 4000)]
    pub content: String,
    /// `text` (the default), `encrypted`, or of staff `system`.
    #[schema(max_length = 20)]
    pub message_type: Option<String>,
}

impl SafeSend {
    fn kind(&self) -> Option<MessageKind> {
        let kind = self.message_type.as_deref().unwrap_or("text").parse().ok()?;
        let wordy = matches!(
            kind,
            MessageKind::Text | MessageKind::System | MessageKind::Encrypted
        );
        wordy.then_some(kind)
    }

    /// What it says to a conversation.
    pub fn said(self, session_id: Uuid) -> NewMessage {
        NewMessage {
            id: parlour_contracts::id::new(),
            session_id,
            client_id: None,
            kind: self.kind().unwrap_or(MessageKind::Text),
            content: self.content,
            metadata: None,
            file: None,
            origin: None,
        }
    }
}

impl Check for SafeSend {
    fn check(&self, problems: &mut Problems) {
        if let Some(problem) = content::problem(&self.content) {
            problems.add("content", problem);
        }
        let fine = self.kind().is_some();
        problems.require(fine, "message_type", "must be text, encrypted or system");
    }
}

/// 201 with the message.
pub fn answer(chat: &Chat, message: Message) -> Result<Reply, ApiError> {
    Reply::bare(StatusCode::CREATED, &SafeMessage::new(chat, message, false))
}

/// Says something
#[utoipa::path(
    post, path = "/chat/session/{session_id}/", tag = "safetalk", request_body = SafeSend,
    params(("session_id" = Uuid, Path, description = "The conversation.")),
    responses((status = 201, description = "The message.", body = SafeMessage))
)]
pub async fn send_to_session(
    user: User,
    state: State<Chat>,
    SessionId(session): SessionId,
    Json(body): Json<SafeSend>,
    once: Once,
) -> Result<Reply, ApiError> {
    say(&state, Sender::from(&*user), body.said(session), once, answer).await
}
