//! Waiting longer after each failure, and never in step with the others.

use std::time::Duration;

use tokio_util::sync::CancellationToken;

pub(crate) struct Backoff {
    first: Duration,
    most: Duration,
    next: Duration,
}

impl Backoff {
    pub(crate) fn new(first: Duration, most: Duration) -> Self {
        Self {
            first,
            most,
            next: first,
        }
    }

    /// The usual one for engines that are away.
    pub(crate) fn engine() -> Self {
        Self::new(Duration::from_millis(50), Duration::from_secs(3))
    }

    pub(crate) fn reset(&mut self) {
        self.next = self.first;
    }

    /// Between half of the step and the whole of it; the next step is twice as long.
    pub(crate) fn step(&mut self) -> Duration {
        let now = self.next;
        self.next = (now * 2).min(self.most);
        now.mul_f64(0.5 + rand::random::<f64>() / 2.0)
    }

    /// Waits a step. Answers false when `stop` came first.
    pub(crate) async fn wait(&mut self, stop: &CancellationToken) -> bool {
        let pause = self.step();
        tokio::select! {
            () = stop.cancelled() => false,
            () = tokio::time::sleep(pause) => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_double_up_to_the_most() {
        let mut backoff = Backoff::new(Duration::from_millis(100), Duration::from_millis(400));
        for most in [100, 200, 400, 400] {
            let step = backoff.step();
            assert!(step <= Duration::from_millis(most) && step >= Duration::from_millis(most / 2));
        }
        backoff.reset();
        assert!(backoff.step() <= Duration::from_millis(100));
    }
}
