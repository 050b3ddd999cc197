//! What the owner of an account should know at once: `identity.security.alert`.

use std::sync::Arc;

use parlour_contracts::identity::v1::SecurityAlert;
use parlour_db::Tx;
use parlour_events::{Consumer, Incoming};

use super::route::Story;
use crate::state::Notify;

/// Registers the handler.
pub(super) fn handle(consumer: Consumer, notify: &Arc<Notify>) -> Consumer {
    let notify = notify.clone();
    consumer.on(async move |tx: &mut Tx, event: Incoming<SecurityAlert>| {
        let told = &event.data;
        let story = Story::default()
            .says("what", told.kind.as_str())
            .says("address", told.address.as_str())
            .person("account", &told.account_id)?;
        story.tell(&notify, tx, &event).await
    })
}
