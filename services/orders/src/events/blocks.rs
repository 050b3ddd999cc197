//! moderation: somebody was blocked, or is not any more.

use parlour_contracts::moderation::v1::{UserBlocked, UserUnblocked};
use parlour_db::Tx;
use parlour_events::{Consumer, Incoming};

use super::id;
use crate::store::readers;

/// Keeps blocked readers from being given orders.
pub(super) fn handle(consumer: Consumer) -> Consumer {
    consumer
        .on(async |tx: &mut Tx, event: Incoming<UserBlocked>| {
            Ok(readers::set_blocked(tx, id(&event.data.account_id)?, true).await?)
        })
        .on(async |tx: &mut Tx, event: Incoming<UserUnblocked>| {
            Ok(readers::set_blocked(tx, id(&event.data.account_id)?, false).await?)
        })
}
