//! `POST /api/chat/messages`

use actix_web::http::StatusCode;
use parlour_db::{Scope, Tx};
use parlour_http::{
    ApiError, Check, Failure, Json, Limit, Once, Problems, RateClass, Reply, Routes, State, Success, User,
};
use serde::Deserialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::domain::content::{self, MOST_METADATA};
use crate::domain::kinds::MessageKind;
use crate::error::{CHAT_ACCESS_DENIED, Error, SESSION_INACTIVE, SESSION_NOT_FOUND};
use crate::limiting::{self, Left};
use crate::sending::{self, NewMessage, Sent};
use crate::state::Chat;
use crate::view::MessageView;
use crate::viewer::Sender;

/// Registers the route.
pub fn route(routes: Routes) -> Routes {
    routes.add::<__path_send_message, _, _, _>(RateClass::Message, send_message)
}

/// What is said.
#[derive(Debug, Deserialize, ToSchema)]
pub struct SendMessage {
    /// Where.
    pub session_id: Uuid,
    /// The words, from 1 to 4000 characters.
    #[schema(min_length = 1, max_length = 4000)]
    pub content: String,
    /// `text` (the default), `encrypted`, or of staff `system`.
    #[serde(rename = "type")]
    #[schema(max_length = 20)]
    pub kind: Option<String>,
    /// What the frontend keeps with it; up to 16 KiB.
    #[schema(value_type = Option<Object>)]
    pub metadata: Option<Map<String, Value>>,
    /// Your own id for it: sent twice under one it is one message.
    #[schema(min_length = 1, max_length = 64)]
    pub client_id: Option<String>,
}

impl SendMessage {
    fn kind(&self) -> Option<MessageKind> {
        let kind = self.kind.as_deref().unwrap_or("text").parse().ok()?;
        let wordy = matches!(
            kind,
            MessageKind::Text | MessageKind::System | MessageKind::Encrypted
        );
        wordy.then_some(kind)
    }
}

impl Check for SendMessage {
    fn check(&self, problems: &mut Problems) {
        if let Some(problem) = content::problem(&self.content) {
            problems.add("content", problem);
        }
        let fine = self.kind().is_some();
        problems.require(fine, "type", "must be text, encrypted or system");
        let size =
            |object: &Map<String, Value>| serde_json::to_vec(object).map_or(usize::MAX, |json| json.len());
        let fine = self.metadata.as_ref().map_or(0, size) <= MOST_METADATA;
        problems.require(fine, "metadata", "must have at most 16 KiB");
    }
}

/// Says something
///
/// The answer is the message as it is stored; the sockets of everybody who takes part get
/// `new_message`, the sender's as well.
#[utoipa::path(
    post, path = "/api/chat/messages", tag = "chat", request_body = SendMessage,
    responses(
        (status = 201, description = "The message.", body = Success<MessageView>),
        (status = 404, description = "There is no such conversation, or not for this caller.", body = Failure),
    )
)]
pub async fn send_message(
    user: User,
    state: State<Chat>,
    Json(body): Json<SendMessage>,
    once: Once,
) -> Result<Reply, ApiError> {
    let new = NewMessage {
        id: parlour_contracts::id::new(),
        session_id: body.session_id,
        kind: body.kind().unwrap_or(MessageKind::Text),
        client_id: body.client_id,
        content: body.content,
        metadata: body.metadata,
        file: None,
        origin: None,
    };
    say(&state, Sender::from(&*user), new, once, |chat, message| {
        let view = MessageView::sent(chat, message);
        Reply::enveloped(StatusCode::CREATED, view, Some("Message sent successfully"))
    })
    .await
}

/// Says it, under the caller's key if they have one, and answers as `answer` says.
pub async fn say(
    state: &State<Chat>,
    sender: Sender,
    new: NewMessage,
    once: Once,
    answer: fn(&Chat, crate::message::Message) -> Result<Reply, ApiError>,
) -> Result<Reply, ApiError> {
    if !once.has_key() {
        let sent = sending::send(state, &sender, new).await?;
        return replied(state, sent, answer);
    }
    let (shared, by) = (state.clone(), sender.clone());
    let sent = once
        .write(
            Scope::Person(sender.id),
            async move |tx: &mut Tx| -> Result<Reply, Error> {
                let sent = sending::send_in(&shared, tx, &by, new).await?;
                Ok(replied(&shared, sent, answer)?)
            },
        )
        .await;
    match sent {
        Err(error) if is_of_session(&error) => Err(limiting::charged(state, &sender, error).await),
        sent => sent,
    }
}

fn replied(
    chat: &Chat,
    sent: Sent,
    answer: fn(&Chat, crate::message::Message) -> Result<Reply, ApiError>,
) -> Result<Reply, ApiError> {
    let reply = answer(chat, sent.message)?;
    Ok(match sent.limit {
        Some(left) => with_limit(reply, &left),
        None => reply,
    })
}

/// Whether it was refused because of its conversation, and not as an answer of before.
fn is_of_session(error: &ApiError) -> bool {
    let codes = [SESSION_NOT_FOUND, CHAT_ACCESS_DENIED, SESSION_INACTIVE];
    codes.iter().any(|code| error.code == *code) && error.headers.is_empty()
}

/// Adds what is left of the limit.
fn with_limit(reply: Reply, left: &Left) -> Reply {
    let class = RateClass::Message;
    reply
        .with_header("ratelimit-policy", left.limit.policy_header(class))
        .with_header("ratelimit", Limit::header(class, left.remaining, left.reset))
}
