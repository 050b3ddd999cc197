//! Blocks: `moderation.user.blocked` and `unblocked`. That an account is blocked the
//! directory says; here it is told, and what waits for the person is taken back.

use parlour_contracts::moderation::v1::{UserBlocked, UserUnblocked};
use parlour_db::Tx;
use parlour_events::{Consumer, Failure, Gather, Incoming};

use super::id;
use super::route::Story;
use crate::domain::reason::Reason;
use crate::store::outcomes;

/// Registers the handlers.
pub(super) fn handle(consumer: Consumer, telling: &Gather<Story>) -> Consumer {
    consumer
        .on(
            async |tx: &mut Tx, event: Incoming<UserBlocked>| -> Result<(), Failure> {
                outcomes::skip_all(tx, id(&event.data.account_id)?, Reason::Blocked).await?;
                Ok(())
            },
        )
        .gather(telling, |event: Incoming<UserBlocked>| {
            let story = Story::default().person("account", &event.data.account_id)?;
            story.of(&event)
        })
        .gather(telling, |event: Incoming<UserUnblocked>| {
            let story = Story::default().person("account", &event.data.account_id)?;
            story.of(&event)
        })
}
