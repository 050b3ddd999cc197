//! Removing files for good.

use std::sync::Arc;

use parlour_db::Tx;
use uuid::Uuid;

use crate::error::Error;
use crate::state::Media;
use crate::store::files::{self, File};
use crate::store::{blobs, quotas, renditions};

impl Media {
    /// Removes a locked file: its row, what was made of it, and what it costs its owner. Bytes
    /// that nobody else has go with the next run of the job for that.
    pub async fn remove(&self, tx: &mut Tx, file: &File) -> Result<(), Error> {
        quotas::lock(tx, file.owner_id, self.settings.quota_bytes).await?;
        renditions::release(tx, file.id).await?;
        quotas::release(tx, file.owner_id, file.blob_id).await?;
        blobs::release(tx, file.blob_id).await?;
        files::delete(tx, file.id).await?;
        Ok(())
    }

    /// Removes objects from the store once `tx` has committed. What fails is left to the sweep.
    pub fn delete_on_commit(self: &Arc<Self>, tx: &mut Tx, objects: Vec<Uuid>) {
        if objects.is_empty() {
            return;
        }
        let media = self.clone();
        tx.on_commit(move || {
            tokio::spawn(async move { media.delete_objects(&objects).await });
        });
    }

    /// Removes objects that no row knows any more.
    pub async fn delete_objects(&self, objects: &[Uuid]) {
        for id in objects {
            if let Err(error) = self.objects.delete(*id).await {
                tracing::warn!(%error, object = %id, "an object that nobody needs is left to the sweep");
            }
        }
    }
}
