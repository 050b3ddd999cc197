//! Removing files for good.

use parlour_db::Tx;

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
}
