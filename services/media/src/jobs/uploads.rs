//! Uploads that are never finished, and those whose receiver died right before the end.

use std::sync::Arc;

use parlour_db::{Scope, Tx};

use super::BATCH;
use crate::error::Error;
use crate::state::Media;
use crate::store::uploads;

/// Removes uploads that waited for their rest for too long.
pub(super) async fn expire(state: Arc<Media>) -> Result<(), Error> {
    let now = state.now();
    let work =
        async move |tx: &mut Tx| -> Result<_, Error> { Ok(uploads::delete_expired(tx, now, BATCH).await?) };
    let objects = state.db.write(Scope::Service, work).await?;
    state.delete_objects(&objects).await;
    Ok(())
}

/// Makes files of uploads that have arrived whole.
pub(super) async fn finish(state: Arc<Media>) -> Result<(), Error> {
    let now = state.now();
    let work = async move |tx: &mut Tx| -> Result<_, Error> { Ok(uploads::whole(tx, now, BATCH).await?) };
    for id in state.db.read(Scope::Service, work).await? {
        if let Err(error) = state.finish_upload(id).await {
            tracing::info!(%error, upload = %id, "an upload that arrived whole became no file");
        }
    }
    Ok(())
}
