//! Where pictures are worked on: so many at once, so many waiting, so long.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::time::Instant;

use super::Refusal;

/// A fixed number of slots on blocking threads, a queue with a bound, and a deadline. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Workshop {
    slots: Arc<Semaphore>,
    places: Arc<Semaphore>,
    patience: Duration,
}

impl Workshop {
    /// `slots` at once, `queue` more waiting, each answered within `patience`.
    pub fn new(slots: usize, queue: usize, patience: Duration) -> Self {
        let slots = slots.max(1);
        Self {
            slots: Arc::new(Semaphore::new(slots)),
            places: Arc::new(Semaphore::new(slots.saturating_add(queue))),
            patience,
        }
    }

    /// Does the work in a slot. [`Refusal::Busy`] at once when the queue is full, [`Refusal::Overdue`]
    /// when it takes longer than the workshop waits. Work that is overdue keeps its slot until it
    /// ends, so that there is never more of it than slots. Work that panics is [`Refusal::Damaged`].
    pub async fn run<T, F>(&self, work: F) -> Result<T, Refusal>
    where
        T: Send + 'static,
        F: FnOnce() -> Result<T, Refusal> + Send + 'static,
    {
        let end = Instant::now() + self.patience;
        let place = self
            .places
            .clone()
            .try_acquire_owned()
            .map_err(|_| Refusal::Busy)?;
        let slot = tokio::time::timeout_at(end, self.slots.clone().acquire_owned()).await;
        let slot = slot.map_err(|_| Refusal::Overdue)?.map_err(|_| Refusal::Busy)?;
        let task = tokio::task::spawn_blocking(move || {
            let done = work();
            drop((slot, place));
            done
        });
        match tokio::time::timeout_at(end, task).await {
            Err(_) => Err(Refusal::Overdue),
            Ok(Err(_)) => Err(Refusal::Damaged("its decoder gave up".to_owned())),
            Ok(Ok(done)) => done,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    #[tokio::test]
    async fn the_queue_is_bounded_and_work_that_is_overdue_keeps_its_slot() {
        let workshop = Workshop::new(1, 1, Duration::from_millis(50));
        let (go, wait) = mpsc::channel::<()>();
        let slow = workshop.run(move || {
            let _ = wait.recv();
            Ok(())
        });
        let (first, second, third) = tokio::join!(slow, workshop.run(|| Ok(())), async {
            workshop.run(|| Ok(())).await
        });
        assert_eq!(first, Err(Refusal::Overdue));
        assert_eq!(second, Err(Refusal::Overdue), "it waited for the slot");
        assert_eq!(third, Err(Refusal::Busy));
        assert_eq!(workshop.slots.available_permits(), 0);
        drop(go);
        let _slot = workshop.slots.acquire().await;
    }

    #[tokio::test]
    async fn work_that_panics_frees_its_slot() {
        let workshop = Workshop::new(1, 0, Duration::from_secs(10));
        let panicked = workshop.run::<(), _>(|| panic!("a decoder's bug")).await;
        assert!(matches!(panicked, Err(Refusal::Damaged(_))));
        assert_eq!(workshop.run(|| Ok(7)).await, Ok(7));
    }
}
