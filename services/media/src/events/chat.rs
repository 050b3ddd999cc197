//! chat: who takes part in conversations, and which files are sent in them.

use std::sync::Arc;

use chrono::DateTime;
use parlour_contracts::chat::v1::{
    MemberJoined, MemberLeft, MessageSent, SessionCreated, SessionEnded, SessionUpdated,
};
use parlour_db::Tx;
use parlour_events::{Consumer, Failure, Incoming};

use super::{id, ids};
use crate::state::Media;
use crate::store::sessions;

/// Follows conversations.
pub(super) fn handle(consumer: Consumer, state: &Arc<Media>) -> Consumer {
    let sending = state.clone();
    consumer
        .on(async |tx: &mut Tx, event: Incoming<SessionCreated>| {
            let (session, members) = (id(&event.data.session_id)?, ids(&event.data.participant_ids)?);
            Ok(sessions::set(tx, session, "active", &members).await?)
        })
        .on(async |tx: &mut Tx, event: Incoming<SessionUpdated>| {
            let (session, members) = (id(&event.data.session_id)?, ids(&event.data.participant_ids)?);
            let status = if event.data.status == "active" {
                "active"
            } else {
                "locked"
            };
            Ok(sessions::set(tx, session, status, &members).await?)
        })
        .on(async |tx: &mut Tx, event: Incoming<SessionEnded>| {
            let (session, members) = (id(&event.data.session_id)?, ids(&event.data.participant_ids)?);
            Ok(sessions::set(tx, session, "ended", &members).await?)
        })
        .on(async |tx: &mut Tx, event: Incoming<MemberJoined>| {
            Ok(sessions::join(tx, id(&event.data.session_id)?, id(&event.data.user_id)?).await?)
        })
        .on(async |tx: &mut Tx, event: Incoming<MemberLeft>| {
            Ok(sessions::leave(tx, id(&event.data.session_id)?, id(&event.data.user_id)?).await?)
        })
        .on(async move |tx: &mut Tx, event: Incoming<MessageSent>| sent(&sending, tx, &event.data).await)
        .only(shares_a_file)
}

/// Most messages have no file. What is held back is not for others yet.
fn shares_a_file(event: &MessageSent) -> bool {
    !event.file_id.is_empty() && !event.held
}

/// Chat has checked that the sender may send there.
async fn sent(state: &Media, tx: &mut Tx, event: &MessageSent) -> Result<(), Failure> {
    let (session, file, sender) = (id(&event.session_id)?, id(&event.file_id)?, id(&event.sender_id)?);
    let at = DateTime::from_timestamp_millis(event.sent_at_ms).unwrap_or_else(|| state.now());
    Ok(sessions::sent(tx, session, file, sender, at).await?)
}
