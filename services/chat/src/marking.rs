//! Marking messages as read.

use parlour_db::{DbError, Scope, Tx};
use parlour_events::realtime::Target;
use uuid::Uuid;

use crate::access::membership;
use crate::error::Error;
use crate::pushing::MessagesReadPush;
use crate::state::Chat;
use crate::store::reads;
use crate::telling;

/// What came of marking a message as read.
#[derive(Clone, Copy, Debug)]
pub struct Read {
    /// The message's conversation.
    pub session_id: Uuid,
    /// The message.
    pub message_id: Uuid,
    /// Its number: all up to it are read.
    pub seq: i64,
    /// Whether less had been read before.
    pub news: bool,
}

/// Marks everything up to a message as read by somebody who takes part, which is told when it
/// is news. Without a session it is found by the message. Fails where they know of no such message.
pub async fn mark_read(
    chat: &Chat,
    reader: Uuid,
    session: Option<Uuid>,
    message: Uuid,
) -> Result<Read, Error> {
    let shared = chat.clone();
    let marked = chat
        .db
        .write(
            Scope::Person(reader),
            async move |tx: &mut Tx| -> Result<_, Error> {
                let Some((session_id, seq, news)) = reads::mark(tx, reader, session, message).await? else {
                    return Ok(None);
                };
                if news {
                    let event = telling::read(session_id, reader, message, seq);
                    telling::about(tx, session_id, &event).await?;
                    let push = MessagesReadPush {
                        session_id,
                        user_id: reader,
                        message_id: message,
                        seq,
                    };
                    let target = Target::Session(session_id);
                    shared.pusher.on_commit(tx, target, "messages_read", push);
                }
                Ok(Some(Read {
                    session_id,
                    message_id: message,
                    seq,
                    news,
                }))
            },
        )
        .await?;
    match (marked, session) {
        (Some(read), _) => Ok(read),
        (None, Some(session)) => {
            membership(chat, session, reader).await?;
            Err(DbError::NotFound.into())
        }
        (None, None) => Err(DbError::NotFound.into()),
    }
}
