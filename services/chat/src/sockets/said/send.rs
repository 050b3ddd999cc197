//! `send_message {session_id, message: {id, content, type}}`

use std::sync::Arc;

use parlour_contracts::id;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use crate::domain::kinds::MessageKind;
use crate::error::Error;
use crate::sending::{self, NewMessage};
use crate::sockets::frame::Frame;
use crate::sockets::live::Live;
use crate::sockets::seat::Seat;
use crate::viewer::Sender;

/// What is said, and where.
#[derive(Debug, Deserialize)]
pub(super) struct SendMessage {
    session_id: Uuid,
    message: Said,
}

#[derive(Debug, Deserialize)]
struct Said {
    #[serde(default)]
    id: Option<String>,
    #[serde(default)]
    content: String,
    #[serde(default, rename = "type")]
    kind: Option<String>,
    #[serde(default)]
    metadata: Option<Map<String, Value>>,
}

/// Says it, or finds that it was said already. Either way the sender hears `message_sent`.
pub(super) async fn send_message(
    live: &Arc<Live>,
    seat: &Arc<Seat>,
    body: SendMessage,
) -> Result<Value, Error> {
    let kind = body.message.kind.as_deref().unwrap_or("text");
    let given = body.message.id.filter(|id| !id.is_empty());
    let id = id::new();
    seat.note_own(id);
    let new = NewMessage {
        id,
        session_id: body.session_id,
        client_id: given.clone(),
        kind: kind
            .parse::<MessageKind>()
            .map_err(|_| Error::Field("message.type", "is not a type of message"))?,
        content: body.message.content,
        metadata: body.message.metadata,
        file: None,
        origin: Some(seat.id.to_string()),
    };
    live.typing.stop(live, seat, body.session_id);
    let done = sending::send(&live.chat, &Sender::from(&*seat.principal()), new).await?;
    let id = done.message.id.to_string();
    let told = json!({
        "message_id": id,
        "client_id": given.filter(|given| *given != id),
        "session_id": done.message.session_id,
        "seq": done.message.seq,
        "timestamp": parlour_http::Time::from(done.message.created_at),
        "state": done.message.state.name(),
    });
    seat.tell(&Frame::new("message_sent", told.clone())).ok();
    Ok(told)
}
