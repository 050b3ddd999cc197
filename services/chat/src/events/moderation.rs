//! moderation: what may be seen, and where nobody may write.

use std::sync::Arc;

use parlour_contracts::moderation::v1::{
    ContentApproved, ContentRejected, SessionLockRequested, SessionTerminateRequested, SessionUnlockRequested,
};
use parlour_db::Tx;
use parlour_events::{Consumer, Incoming};

use super::id;
use crate::state::Chat;

/// Follows moderation's decisions.
pub(super) fn handle(consumer: Consumer, state: &Arc<Chat>) -> Consumer {
    let (approving, rejecting) = (state.clone(), state.clone());
    let (locking, unlocking, ending) = (state.clone(), state.clone(), state.clone());
    consumer
        .on(async move |tx: &mut Tx, event: Incoming<ContentApproved>| {
            Ok(approving.approve(tx, id(&event.data.content_id)?).await?)
        })
        .on(async move |tx: &mut Tx, event: Incoming<ContentRejected>| {
            Ok(rejecting.reject(tx, id(&event.data.content_id)?).await?)
        })
        .on(async move |tx: &mut Tx, event: Incoming<SessionLockRequested>| {
            let session = id(&event.data.session_id)?;
            Ok(locking
                .set_locked(tx, session, true, &event.data.request_id)
                .await?)
        })
        .on(
            async move |tx: &mut Tx, event: Incoming<SessionUnlockRequested>| {
                let session = id(&event.data.session_id)?;
                Ok(unlocking
                    .set_locked(tx, session, false, &event.data.request_id)
                    .await?)
            },
        )
        .on(
            async move |tx: &mut Tx, event: Incoming<SessionTerminateRequested>| {
                let session = id(&event.data.session_id)?;
                Ok(ending.end_session(tx, session, &event.data.request_id).await?)
            },
        )
}
