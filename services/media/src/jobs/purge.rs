//! Files that nobody can bring back any more, bytes that nobody has, shares that are over.

use std::sync::Arc;

use parlour_db::{Scope, Tx};

use super::BATCH;
use crate::error::Error;
use crate::state::Media;
use crate::store::{blobs, files, shares};

/// Removes files that were deleted long enough ago.
pub(super) async fn deleted(state: Arc<Media>) -> Result<(), Error> {
    let then = state.now() - state.settings.restore();
    loop {
        let media = state.clone();
        let work = async move |tx: &mut Tx| -> Result<bool, Error> {
            // One at a time: two jobs must not wait for each other's people.
            let files = files::lock_expired(tx, then, 1).await?;
            for file in &files {
                media.remove(tx, file).await?;
            }
            Ok(!files.is_empty())
        };
        if !state.db.write(Scope::Service, work).await? {
            return Ok(());
        }
    }
}

/// Removes bytes that nobody has: first what is known of them, with their keys, then the objects.
pub(super) async fn unused(state: Arc<Media>) -> Result<(), Error> {
    loop {
        let work =
            async move |tx: &mut Tx| -> Result<_, Error> { Ok(blobs::forget_unused(tx, BATCH).await?) };
        let objects = state.db.write(Scope::Service, work).await?;
        if objects.is_empty() {
            return Ok(());
        }
        state.delete_objects(&objects).await;
    }
}

/// Removes shares that are over.
pub(super) async fn shares(state: Arc<Media>) -> Result<(), Error> {
    let now = state.now();
    loop {
        let work = async move |tx: &mut Tx| -> Result<_, Error> {
            Ok(shares::delete_expired(tx, now, BATCH).await?)
        };
        if state.db.write(Scope::Service, work).await? == 0 {
            return Ok(());
        }
    }
}
