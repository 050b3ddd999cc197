//! `typing_start {session_id?}`, `typing_stop {session_id?}`

use std::sync::Arc;

use serde_json::{Value, json};

use super::OfSomeSession;
use crate::error::Error;
use crate::sockets::live::Live;
use crate::sockets::seat::Seat;

/// Tells the others in the session, or in the one that was joined last.
pub(super) fn typing(
    live: &Arc<Live>,
    seat: &Arc<Seat>,
    body: &OfSomeSession,
    is_typing: bool,
) -> Result<Value, Error> {
    let Some(session) = body.session_id.or_else(|| seat.joined().pop()) else {
        return Err(Error::Field(
            "session_id",
            "is needed: no conversation was joined",
        ));
    };
    if !seat.is_in(session) {
        return Err(Error::Denied);
    }
    if is_typing {
        live.typing.start(live, seat, session);
    } else {
        live.typing.stop(live, seat, session);
    }
    Ok(json!({ "session_id": session }))
}
