//! identity and ops: somebody is to be forgotten.

use std::sync::Arc;

use parlour_contracts::identity::v1::AccountDeleted;
use parlour_contracts::ops::v1::PrivacyEraseRequested;
use parlour_db::Tx;
use parlour_events::{Batch, Consumer, Incoming};
use uuid::Uuid;

use super::id;
use crate::error::Error;
use crate::state::Media;
use crate::store::{files, quotas, sessions, shares, uploads};
use crate::telling;

/// Files that are removed together.
const BATCH: i64 = 100;

/// Forgets people. Whoever hears of it first does it; the second finds nothing left.
pub(super) fn handle(consumer: Consumer, state: &Arc<Media>) -> Consumer {
    let (deleting, erasing) = (state.clone(), state.clone());
    consumer
        .on(async move |tx: &mut Tx, event: Incoming<AccountDeleted>| {
            Ok(forget(&deleting, tx, id(&event.data.account_id)?).await?)
        })
        .on(async move |tx: &mut Tx, event: Incoming<PrivacyEraseRequested>| {
            Ok(forget(&erasing, tx, id(&event.data.account_id)?).await?)
        })
}

/// Removes everything of a person: their files at once, with the keys of their bytes where
/// nobody else has the same, and their part in what others share.
async fn forget(state: &Arc<Media>, tx: &mut Tx, person: Uuid) -> Result<(), Error> {
    loop {
        let files = files::lock_all_of(tx, person, BATCH).await?;
        if files.is_empty() {
            break;
        }
        let mut news = Batch::default();
        for file in &files {
            state.remove(tx, file).await?;
            if file.deleted_at.is_none() {
                news = news.event(telling::aggregate(file.id), &telling::deleted(file));
            }
        }
        news.write(tx).await?;
    }
    let objects = uploads::delete_all_of(tx, person).await?;
    state.delete_on_commit(tx, objects);
    shares::forget_person(tx, person).await?;
    sessions::forget_person(tx, person).await?;
    quotas::forget(tx, person).await?;
    Ok(())
}
