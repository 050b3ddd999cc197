//! `message_reaction {message_id, reaction, session_id}`

use std::sync::Arc;

use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::error::Error;
use crate::reacting;
use crate::sockets::live::Live;
use crate::sockets::seat::Seat;

/// What somebody thinks of a message.
#[derive(Debug, Deserialize)]
pub(super) struct MessageReaction {
    message_id: Uuid,
    reaction: String,
    session_id: Uuid,
}

/// Adds it, or takes it back when it is there already.
pub(super) async fn message_reaction(
    live: &Arc<Live>,
    seat: &Arc<Seat>,
    body: MessageReaction,
) -> Result<Value, Error> {
    let (session, message) = (body.session_id, body.message_id);
    let done = reacting::react(&live.chat, seat.user, session, message, body.reaction.clone()).await?;
    let action = if done.added { "added" } else { "removed" };
    Ok(json!({ "message_id": body.message_id, "reaction": body.reaction, "action": action }))
}
