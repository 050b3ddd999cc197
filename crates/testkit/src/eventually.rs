//! Waiting for what happens by itself, without sleeping and hoping.

use std::fmt::Debug;
use std::panic::Location;
use std::time::{Duration, Instant};

/// How long to wait. Generous, because only a failing test waits for it.
const PATIENCE: Duration = Duration::from_secs(20);
const FIRST_PAUSE: Duration = Duration::from_millis(2);
const LONGEST_PAUSE: Duration = Duration::from_millis(100);

/// What a question may be answered with: whether it is so already, and if not, why.
pub trait Outcome {
    /// What is answered in the end.
    type Value;
    /// The value, or what to print when time is up.
    fn settle(self) -> Result<Self::Value, String>;
}

impl Outcome for bool {
    type Value = ();
    fn settle(self) -> Result<(), String> {
        if self { Ok(()) } else { Err("false".to_owned()) }
    }
}

impl<T> Outcome for Option<T> {
    type Value = T;
    fn settle(self) -> Result<T, String> {
        self.ok_or_else(|| "None".to_owned())
    }
}

impl<T, E: Debug> Outcome for Result<T, E> {
    type Value = T;
    fn settle(self) -> Result<T, String> {
        self.map_err(|error| format!("{error:?}"))
    }
}

/// Asks `question` until its answer is `true`, `Some` or `Ok`, and hands that on.
/// Fails the test when that takes too long, with the last answer.
#[track_caller]
pub fn eventually<Q, O>(question: Q) -> impl Future<Output = O::Value>
where
    Q: AsyncFnMut() -> O,
    O: Outcome,
{
    within(PATIENCE, Location::caller(), question)
}

/// Asks `question` until the answer is `expected`.
#[track_caller]
pub fn eventually_eq<T, Q>(expected: T, mut question: Q) -> impl Future<Output = ()>
where
    T: PartialEq + Debug,
    Q: AsyncFnMut() -> T,
{
    eventually(async move || {
        let found = question().await;
        if found == expected {
            Ok(())
        } else {
            Err(Difference(format!("{found:?}, not {expected:?}")))
        }
    })
}

struct Difference(String);

impl Debug for Difference {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

async fn within<Q, O>(patience: Duration, place: &Location<'_>, mut question: Q) -> O::Value
where
    Q: AsyncFnMut() -> O,
    O: Outcome,
{
    let mut wait = Wait::new(patience, place);
    loop {
        match question().await.settle() {
            Ok(value) => return value,
            Err(last) => wait.on(&last).await,
        }
    }
}

/// A wait that gets more patient, and ends.
pub(crate) struct Wait<'p> {
    began: Instant,
    patience: Duration,
    pause: Duration,
    place: &'p Location<'p>,
}

impl<'p> Wait<'p> {
    fn new(patience: Duration, place: &'p Location<'p>) -> Self {
        Self {
            began: Instant::now(),
            patience,
            pause: FIRST_PAUSE,
            place,
        }
    }

    /// A wait as long as [`eventually`]'s.
    #[track_caller]
    pub(crate) fn begin() -> Self {
        Self::new(PATIENCE, Location::caller())
    }

    /// Waits a little, or fails the test if it was enough. `last` is what is the matter.
    pub(crate) async fn on(&mut self, last: &str) {
        let (place, patience) = (self.place, self.patience);
        let over = self.began.elapsed() >= patience;
        assert!(
            !over,
            "{place}: not within {patience:?}; the last answer was {last}"
        );
        tokio::time::sleep(self.pause).await;
        self.pause = (self.pause * 2).min(LONGEST_PAUSE);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_first_good_answer_is_handed_on() {
        let mut asked = 0;
        let answer = eventually(async || {
            asked += 1;
            (asked > 3).then_some(asked)
        });
        assert_eq!(answer.await, 4);
        eventually_eq(7, async || 7).await;
        eventually(async || true).await;
    }

    #[tokio::test]
    #[should_panic(expected = "not within 20ms; the last answer was \"still cold\"")]
    async fn the_last_answer_is_told() {
        let question = async || Err::<(), _>("still cold");
        within(Duration::from_millis(20), Location::caller(), question).await;
    }
}
