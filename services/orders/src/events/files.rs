//! media: which files are there and clean.

use parlour_contracts::media::v1::{FileDeleted, FileInfected, FileReady, FileRestored};
use parlour_db::Tx;
use parlour_events::{Consumer, Incoming};

use super::id;
use crate::store::files;

/// Keeps media's verdicts.
pub(super) fn handle(consumer: Consumer) -> Consumer {
    consumer
        .on(async |tx: &mut Tx, event: Incoming<FileReady>| {
            let (file, owner) = (id(&event.data.file_id)?, id(&event.data.owner_id)?);
            Ok(files::scanned(tx, file, owner, true).await?)
        })
        .on(async |tx: &mut Tx, event: Incoming<FileInfected>| {
            let (file, owner) = (id(&event.data.file_id)?, id(&event.data.owner_id)?);
            Ok(files::scanned(tx, file, owner, false).await?)
        })
        .on(async |tx: &mut Tx, event: Incoming<FileDeleted>| {
            Ok(files::set_deleted(tx, id(&event.data.file_id)?, true).await?)
        })
        .on(async |tx: &mut Tx, event: Incoming<FileRestored>| {
            Ok(files::set_deleted(tx, id(&event.data.file_id)?, false).await?)
        })
}
