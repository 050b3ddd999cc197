//! Files that were found harmful, and scanners that do not answer: `media.file.infected`,
//! `media.scanner.changed`.

use parlour_contracts::media::v1::{FileInfected, ScannerChanged};
use parlour_events::{Consumer, Gather, Incoming};

use super::route::Story;

/// Registers the handlers.
pub(super) fn handle(consumer: Consumer, telling: &Gather<Story>) -> Consumer {
    consumer
        .gather(telling, |event: Incoming<FileInfected>| {
            let told = &event.data;
            let story = Story::default()
                .says("file_id", told.file_id.as_str())
                .person("owner", &told.owner_id)?;
            story.of(&event)
        })
        .gather(telling, |event: Incoming<ScannerChanged>| {
            let told = &event.data;
            let story = Story::default()
                .says("scanner", told.scanner.as_str())
                .says("state", if told.reachable { "back" } else { "away" })
                .at("since", told.at_ms)?;
            story.of(&event)
        })
}
