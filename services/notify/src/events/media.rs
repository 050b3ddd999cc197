//! Files that were found harmful, and scanners that do not answer: `media.file.infected`,
//! `media.scanner.changed`.

use std::sync::Arc;

use parlour_contracts::media::v1::{FileInfected, ScannerChanged};
use parlour_db::Tx;
use parlour_events::{Consumer, Incoming};

use super::route::Story;
use crate::state::Notify;

/// Registers the handlers.
pub(super) fn handle(consumer: Consumer, notify: &Arc<Notify>) -> Consumer {
    let (infected, changed) = (notify.clone(), notify.clone());
    consumer
        .on(async move |tx: &mut Tx, event: Incoming<FileInfected>| {
            let told = &event.data;
            let story = Story::default()
                .says("file_id", told.file_id.as_str())
                .person("owner", &told.owner_id)?;
            story.tell(&infected, tx, &event).await
        })
        .on(async move |tx: &mut Tx, event: Incoming<ScannerChanged>| {
            let told = &event.data;
            let story = Story::default()
                .says("scanner", told.scanner.as_str())
                .says("state", if told.reachable { "back" } else { "away" })
                .at("since", told.at_ms)?;
            story.tell(&changed, tx, &event).await
        })
}
