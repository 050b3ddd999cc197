//! From pending to ready or into quarantine: files are scanned one by one, outside of any
//! transaction, under a lease. With a clamd configured and away they wait; they are never
//! let through.

mod alarm;
mod examine;
mod making;
mod worker;

use std::sync::Arc;

use futures_util::future::BoxFuture;
use tokio_util::sync::CancellationToken;

use crate::state::Media;

pub use making::SIZES;

/// What scans, until `stop`: what is being scanned then is finished.
pub fn tasks(media: &Arc<Media>, stop: &CancellationToken) -> Vec<BoxFuture<'static, ()>> {
    vec![Box::pin(worker::run(media.clone(), stop.clone()))]
}
