//! `mark_read {session_id, message_id}`

use std::sync::Arc;

use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::error::Error;
use crate::marking;
use crate::sockets::live::Live;
use crate::sockets::seat::Seat;

/// Up to which message.
#[derive(Debug, Deserialize)]
pub(super) struct MarkRead {
    session_id: Uuid,
    message_id: Uuid,
}

/// Marks everything up to the message as read.
pub(super) async fn mark_read(live: &Arc<Live>, seat: &Arc<Seat>, body: MarkRead) -> Result<Value, Error> {
    let session = Some(body.session_id);
    let read = marking::mark_read(&live.chat, seat.user, session, body.message_id).await?;
    Ok(json!({ "session_id": body.session_id, "message_id": body.message_id, "seq": read.seq }))
}
