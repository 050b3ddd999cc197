//! What the owner of an account should know at once: `identity.security.alert`.

use parlour_contracts::identity::v1::SecurityAlert;
use parlour_events::{Consumer, Gather, Incoming};

use super::route::Story;

/// Registers the handler.
pub(super) fn handle(consumer: Consumer, telling: &Gather<Story>) -> Consumer {
    consumer.gather(telling, |event: Incoming<SecurityAlert>| {
        let told = &event.data;
        let story = Story::default()
            .says("what", told.kind.as_str())
            .says("address", told.address.as_str())
            .person("account", &told.account_id)?;
        story.of(&event)
    })
}
