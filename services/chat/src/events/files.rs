//! media: which files can be shown.

use std::sync::Arc;

use parlour_contracts::media::v1::{FileInfected, FileReady};
use parlour_db::Tx;
use parlour_events::{Consumer, Incoming};

use super::id;
use crate::state::Chat;

/// Keeps media's verdicts.
pub(super) fn handle(consumer: Consumer, state: &Arc<Chat>) -> Consumer {
    let (showing, removing) = (state.clone(), state.clone());
    consumer
        .on(async move |tx: &mut Tx, event: Incoming<FileReady>| {
            let (file, owner) = (id(&event.data.file_id)?, id(&event.data.owner_id)?);
            Ok(showing.file_ready(tx, file, owner).await?)
        })
        .on(async move |tx: &mut Tx, event: Incoming<FileInfected>| {
            let (file, owner) = (id(&event.data.file_id)?, id(&event.data.owner_id)?);
            Ok(removing.file_infected(tx, file, owner).await?)
        })
}
