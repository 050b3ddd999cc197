//! Objects that no row knows: their upload died before its commit.

use std::sync::Arc;

use crate::check;
use crate::error::Error;
use crate::state::Media;

/// Removes them once they are older than any upload can be.
pub(super) async fn orphans(state: Arc<Media>) -> Result<(), Error> {
    let before = state.clock.now() - state.settings.orphan();
    let orphans = check::orphans(&state, before).await?;
    if !orphans.is_empty() {
        tracing::info!(count = orphans.len(), "objects that no file has are removed");
        state.delete_objects(&orphans).await;
    }
    state.objects.sweep_unfinished(before).await?;
    Ok(())
}
