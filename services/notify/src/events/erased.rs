//! The right to be forgotten: `identity.account.deleted`, `ops.privacy.erase_requested`.

use std::sync::Arc;

use parlour_contracts::identity::v1::AccountDeleted;
use parlour_contracts::ops::v1::PrivacyEraseRequested;
use parlour_db::Tx;
use parlour_events::{Consumer, Failure, Incoming};

use super::id;
use crate::state::Notify;
use crate::store::erasure;

/// Registers the handlers: everything about the person goes.
pub(super) fn handle(consumer: Consumer, _: &Arc<Notify>) -> Consumer {
    consumer
        .on(
            async |tx: &mut Tx, event: Incoming<AccountDeleted>| -> Result<(), Failure> {
                Ok(erasure::erase(tx, id(&event.data.account_id)?).await?)
            },
        )
        .on(
            async |tx: &mut Tx, event: Incoming<PrivacyEraseRequested>| -> Result<(), Failure> {
                Ok(erasure::erase(tx, id(&event.data.account_id)?).await?)
            },
        )
}
