//! Doing together what comes often.

use std::time::Duration;

use tokio::time::{Instant, sleep_until};

/// Lets something be done once in so long. The first time, and the first after a rest, does not wait.
///
/// For what wakes others: under load several are woken for once, and what is alone is as soon as ever.
#[derive(Debug)]
pub struct Pace {
    every: Duration,
    next: Option<Instant>,
}

impl Pace {
    /// Once in `every`.
    pub fn of(every: Duration) -> Self {
        Self { every, next: None }
    }

    /// Waits for its turn and takes it.
    pub async fn turn(&mut self) {
        if let Some(next) = self.next.filter(|next| Instant::now() < *next) {
            sleep_until(next).await;
        }
        self.next = Some(Instant::now() + self.every);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::FutureExt as _;

    #[tokio::test]
    async fn only_what_comes_soon_after_another_waits() {
        let mut pace = Pace::of(Duration::from_hours(1));
        assert!(pace.turn().now_or_never().is_some());
        assert!(pace.turn().now_or_never().is_none());
        let mut pace = Pace::of(Duration::from_millis(1));
        for _ in 0..2 {
            assert!(pace.turn().now_or_never().is_some());
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }
}
