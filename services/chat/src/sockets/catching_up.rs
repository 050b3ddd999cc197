//! Reading from the database what the pushes did not bring.

use std::sync::Arc;
use std::time::Duration;

use uuid::Uuid;

use super::exchange::out_of;
use super::frame::Frame;
use super::live::Live;
use super::stream::{Said, Stream, Way};
use crate::error::Error;
use crate::following;
use crate::message::{Message, State};
use crate::viewer::Viewer;

/// How long an earlier message may be on its way still before the database is asked.
const PATIENCE: Duration = Duration::from_millis(30);
/// The pause after the database did not answer.
const PAUSE: Duration = Duration::from_secs(1);
/// Messages that are read at once.
pub const PAGE: i64 = 100;

/// Fills the gap in a stream, until there is none. One at a time for each stream.
pub fn begin(live: &Arc<Live>, session: Uuid, stream: Arc<Stream>) {
    let live = live.clone();
    tokio::spawn(async move {
        tokio::time::sleep(PATIENCE).await;
        while !stream.is_empty() {
            let Some(head) = stream.head() else { break };
            match fill(&live, session, &stream, head).await {
                Ok(true) => {}
                Ok(false) => return,
                Err(error) => {
                    tracing::warn!(%session, %error, "what is missing cannot be read yet");
                    tokio::time::sleep(PAUSE).await;
                }
            }
        }
        stream.stop_filling();
    });
}

/// Reads one page behind `head`. Answers whether something is missing still.
async fn fill(live: &Live, session: Uuid, stream: &Stream, head: i64) -> Result<bool, Error> {
    let messages = following::behind(&live.chat, session, head, PAGE).await?;
    let last = messages.last().and_then(|message| message.seq).unwrap_or(head);
    stream.fill(said(live, messages));
    Ok(stream.is_behind(last))
}

/// What is told about messages that were read.
pub fn said(live: &Live, messages: Vec<Message>) -> Vec<Said> {
    let one = |message: Message| {
        let visible = message.state == State::Visible;
        Some(Said {
            seq: message.seq?,
            frame: visible.then(|| Arc::new(frame(live, &message))),
            way: Way::Read {
                id: message.id,
                sender: message.sender_id,
            },
        })
    };
    messages.into_iter().filter_map(one).collect()
}

/// A message as `new_message` tells it.
pub fn frame(live: &Live, message: &Message) -> Frame {
    let told = serde_json::to_value(message.pushed(&live.chat)).unwrap_or_default();
    Frame::new("new_message", told)
}

/// Asks for all streams whether something is missing, and whether everybody in them may
/// still be there: pushes may have been lost.
pub async fn resync(live: &Arc<Live>) -> Result<(), Error> {
    live.hub.tidy();
    for some in live.hub.streams().chunks(1000) {
        let ids: Vec<Uuid> = some.iter().map(|(id, _)| *id).collect();
        let last = following::last_seqs(&live.chat, &ids).await?;
        let taking_part = following::participants(&live.chat, &ids).await?;
        for (session, stream) in some {
            if last.get(session).is_some_and(|last| stream.is_missing(*last)) {
                begin(live, *session, stream.clone());
            }
            for seat in stream.seats() {
                let may = taking_part.contains(&(*session, seat.user))
                    || Viewer::from(&*seat.principal()).sees_all();
                if !may {
                    out_of(live, &seat, *session);
                }
            }
        }
    }
    Ok(())
}
