//! Files that were found harmful: `media.file.infected`.

use std::sync::Arc;

use parlour_contracts::media::v1::FileInfected;
use parlour_db::Tx;
use parlour_events::{Consumer, Incoming};

use super::route::Story;
use crate::state::Notify;

/// Registers the handler.
pub(super) fn handle(consumer: Consumer, notify: &Arc<Notify>) -> Consumer {
    let notify = notify.clone();
    consumer.on(async move |tx: &mut Tx, event: Incoming<FileInfected>| {
        let told = &event.data;
        let story = Story::default()
            .says("file_id", told.file_id.as_str())
            .person("owner", &told.owner_id)?;
        story.tell(&notify, tx, &event).await
    })
}
