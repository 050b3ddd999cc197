//! Blocks: `moderation.user.blocked` and `unblocked`. That an account is blocked the
//! directory says; here it is told, and what waits for the person is taken back.

use std::sync::Arc;

use parlour_contracts::moderation::v1::{UserBlocked, UserUnblocked};
use parlour_db::Tx;
use parlour_events::{Consumer, Incoming};

use super::id;
use super::route::Story;
use crate::domain::reason::Reason;
use crate::state::Notify;
use crate::store::outcomes;

/// Registers the handlers.
pub(super) fn handle(consumer: Consumer, notify: &Arc<Notify>) -> Consumer {
    let (blocked, unblocked) = (notify.clone(), notify.clone());
    consumer
        .on(async move |tx: &mut Tx, event: Incoming<UserBlocked>| {
            outcomes::skip_all(tx, id(&event.data.account_id)?, Reason::Blocked).await?;
            let story = Story::default().person("account", &event.data.account_id)?;
            story.tell(&blocked, tx, &event).await
        })
        .on(async move |tx: &mut Tx, event: Incoming<UserUnblocked>| {
            let story = Story::default().person("account", &event.data.account_id)?;
            story.tell(&unblocked, tx, &event).await
        })
}
