//! identity and ops: somebody is to be forgotten.

use std::sync::Arc;

use parlour_contracts::identity::v1::AccountDeleted;
use parlour_contracts::ops::v1::PrivacyEraseRequested;
use parlour_db::Tx;
use parlour_events::{Consumer, Incoming};
use uuid::Uuid;

use super::id;
use crate::error::Error;
use crate::state::Chat;
use crate::store::{erasure, groups};

/// Forgets people. Whoever hears of it first does it; the second finds nothing left.
pub(super) fn handle(consumer: Consumer, state: &Arc<Chat>) -> Consumer {
    let (deleting, erasing) = (state.clone(), state.clone());
    consumer
        .on(async move |tx: &mut Tx, event: Incoming<AccountDeleted>| {
            Ok(forget(&deleting, tx, id(&event.data.account_id)?).await?)
        })
        .on(async move |tx: &mut Tx, event: Incoming<PrivacyEraseRequested>| {
            Ok(forget(&erasing, tx, id(&event.data.account_id)?).await?)
        })
}

/// Takes them out of their conversations and deletes what they said; its numbers stay.
async fn forget(state: &Chat, tx: &mut Tx, person: Uuid) -> Result<(), Error> {
    for session in erasure::sessions_of(tx, person).await? {
        if state.leave_session(tx, session, person).await? {
            groups::add_members(tx, session, -1).await?;
            state.push_left(tx, session, person);
        }
    }
    erasure::erase(tx, person).await?;
    Ok(())
}
