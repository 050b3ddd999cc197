//! `join_chat {session_id, last_message_id?}`

use std::sync::Arc;
use std::time::Duration;

use parlour_sockets::SendError;
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::error::Error;
use crate::following;
use crate::sockets::catching_up::{PAGE, said};
use crate::sockets::exchange::out_of;
use crate::sockets::frame::Frame;
use crate::sockets::live::Live;
use crate::sockets::seat::Seat;
use crate::sockets::stream::{Seated, Stream};
use crate::viewer::Viewer;

/// How often a full queue is looked at again, and how often it may still be full, while
/// somebody is told what they missed.
const PAUSE: Duration = Duration::from_millis(10);
const PAUSES: u32 = 1000;

/// The session, and the last message that the client has of it.
#[derive(Debug, Deserialize)]
pub(super) struct JoinChat {
    session_id: Uuid,
    #[serde(default)]
    last_message_id: Option<Uuid>,
}

/// Tells what was missed, in order, and lets the connection in. One that is in already misses nothing,
/// unless it names the message behind which it begins anew: then it is out until it has caught up, as
/// a message that comes meanwhile would be told twice or too early.
pub(super) async fn join_chat(live: &Arc<Live>, seat: &Arc<Seat>, body: JoinChat) -> Result<Value, Error> {
    let session = body.session_id;
    let viewer = Viewer::from(&*seat.principal());
    let place = following::place(&live.chat, &viewer, session, body.last_message_id).await?;
    let was_in = seat.is_in(session);
    if !seat.note_joined(session) {
        return Err(Error::Conflict("You are in too many conversations at once."));
    }
    let stream = live.hub.stream_or_new(session);
    if body.last_message_id.is_none() {
        let joined = joined(session, None, 0);
        if stream.greet(seat, &Frame::new("chat_joined", joined.clone())) {
            return Ok(joined);
        }
    } else {
        stream.unseat(&seat.id);
    }
    let joined = admit(live, seat, (session, &stream), place, body.last_message_id).await;
    match joined {
        Ok(Some(joined)) => {
            if !was_in {
                live.came((Some(session), seat.user), &seat.name);
            }
            Ok(joined)
        }
        failed => {
            if was_in {
                out_of(live, seat, session);
            } else {
                seat.note_left(session);
                live.hub.unseat(session, seat);
            }
            failed.map(Option::unwrap_or_default)
        }
    }
}

fn joined(session: Uuid, last: Option<Uuid>, missed: usize) -> Value {
    json!({ "session_id": session, "last_message_id": last, "missed": missed })
}

/// `None` when the connection ended meanwhile.
async fn admit(
    live: &Arc<Live>,
    seat: &Arc<Seat>,
    (session, stream): (Uuid, &Arc<Stream>),
    place: following::Place,
    last: Option<Uuid>,
) -> Result<Option<Value>, Error> {
    let mut cursor = place.from.unwrap_or(place.last_seq);
    let mut missed = 0;
    let mut last = last;
    // The stream keeps what comes from now on; what was there before is in the database.
    if stream.head().is_none() {
        let known = following::last_seqs(&live.chat, &[session]).await?;
        stream.open(known.get(&session).copied().unwrap_or(place.last_seq));
    }
    loop {
        let messages = following::behind(&live.chat, session, cursor, PAGE).await?;
        let whole = i64::try_from(messages.len()) == Ok(PAGE);
        for message in &messages {
            last = Some(message.id);
        }
        for said in said(live, messages) {
            cursor = said.seq;
            if let Some(frame) = &said.frame {
                if !tell_patiently(seat, frame).await {
                    return Ok(None);
                }
                missed += 1;
            }
        }
        if whole {
            continue;
        }
        let joined = joined(session, last, missed);
        match stream.seat(seat, cursor, &Frame::new("chat_joined", joined.clone())) {
            Seated::In => return Ok(Some(joined)),
            Seated::Behind | Seated::Unopened => {}
        }
    }
}

/// Waits for room: what was missed may be more than a queue holds.
async fn tell_patiently(seat: &Arc<Seat>, frame: &Frame) -> bool {
    for _ in 0..PAUSES {
        match seat.try_tell(frame) {
            Ok(()) => return true,
            Err(SendError::Gone) => return false,
            Err(SendError::Full) => tokio::time::sleep(PAUSE).await,
        }
    }
    seat.end("slow");
    false
}
