//! Objects that no row knows: their upload died before its commit.

use std::sync::Arc;

use crate::check;
use crate::error::Error;
use crate::state::Media;
use crate::storage::{StorageError, local};

/// Removes them once they are older than any upload can be.
pub(super) async fn orphans(state: Arc<Media>) -> Result<(), Error> {
    let age = state.settings.orphan();
    let orphans = check::orphans(&state, state.clock.now() - age).await?;
    if !orphans.is_empty() {
        tracing::info!(count = orphans.len(), "objects that no file has are removed");
        state.delete_objects(&orphans).await;
    }
    if let Some(folder) = state.objects.local_folder() {
        let age = age.to_std().unwrap_or_default();
        let swept = tokio::task::spawn_blocking(move || local::sweep_unfinished(&folder, age)).await;
        swept
            .map_err(std::io::Error::other)
            .flatten()
            .map_err(StorageError::from)?;
    }
    Ok(())
}
