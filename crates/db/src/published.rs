//! Which lanes of the outbox have new rows.

use std::sync::atomic::{AtomicU64, Ordering};

use tokio::sync::Notify;

/// A set of lanes, which are numbers from 0 to 63.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Lanes(u64);

impl Lanes {
    /// Every lane.
    pub const ALL: Self = Self(u64::MAX);

    /// Adds a lane.
    pub fn insert(&mut self, lane: i16) {
        self.0 |= bit(lane);
    }

    /// Whether it is one of them.
    pub fn contains(self, lane: i16) -> bool {
        self.0 & bit(lane) != 0
    }

    /// Whether it is none.
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }
}

fn bit(lane: i16) -> u64 {
    1 << (lane.unsigned_abs() % 64)
}

/// Told by transactions that have committed in this process, heard by the relay.
#[derive(Debug, Default)]
pub struct Published {
    lanes: AtomicU64,
    told: Notify,
}

impl Published {
    /// Says that these lanes have new rows.
    pub fn tell(&self, lanes: Lanes) {
        self.lanes.fetch_or(lanes.0, Ordering::AcqRel);
        self.told.notify_one();
    }

    /// Waits for something to be told, and answers all that was since the last time.
    /// One task at a time may wait. What is dropped while it waits loses nothing.
    pub async fn heard(&self) -> Lanes {
        loop {
            self.told.notified().await;
            let lanes = Lanes(self.lanes.swap(0, Ordering::AcqRel));
            if !lanes.is_empty() {
                return lanes;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_was_told_is_heard_together_and_once() {
        let published = Published::default();
        for lane in [3, 11] {
            let mut lanes = Lanes::default();
            lanes.insert(lane);
            published.tell(lanes);
        }
        let heard = published.heard().await;
        let found: Vec<i16> = (0..16).filter(|lane| heard.contains(*lane)).collect();
        assert_eq!(found, [3, 11]);
        let again = futures_util::FutureExt::now_or_never(published.heard());
        assert_eq!(again, None);
    }
}
