//! Which lanes of the outbox have new rows.

use std::sync::atomic::{AtomicU64, Ordering};

use tokio::sync::Notify;

/// Told by transactions that have committed in this process, heard by the relay.
#[derive(Debug, Default)]
pub struct Published {
    lanes: AtomicU64,
    told: Notify,
}

impl Published {
    /// Every lane.
    pub const ALL: u64 = u64::MAX;

    /// Says that these lanes have new rows: a bit for each, the first lane's the lowest.
    pub fn tell(&self, lanes: u64) {
        self.lanes.fetch_or(lanes, Ordering::AcqRel);
        self.told.notify_one();
    }

    /// Waits for something to be told, and answers all that was since the last time.
    /// One task at a time may wait. What is dropped while it waits loses nothing.
    pub async fn heard(&self) -> u64 {
        loop {
            self.told.notified().await;
            let lanes = self.lanes.swap(0, Ordering::AcqRel);
            if lanes != 0 {
                return lanes;
            }
        }
    }
}

/// The bit of a lane.
pub(crate) fn bit(lane: i16) -> u64 {
    1 << (lane.unsigned_abs() % 64)
}
