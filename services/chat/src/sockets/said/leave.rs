//! `leave_chat {session_id}`

use std::sync::Arc;

use serde_json::{Value, json};

use super::OfSession;
use crate::sockets::exchange::out_of;
use crate::sockets::live::Live;
use crate::sockets::seat::Seat;

/// Takes the connection out of the session. Leaving what was not joined is no mistake.
pub(super) fn leave_chat(live: &Arc<Live>, seat: &Arc<Seat>, body: &OfSession) -> Value {
    out_of(live, seat, body.session_id);
    json!({ "session_id": body.session_id })
}
