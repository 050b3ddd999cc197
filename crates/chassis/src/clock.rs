//! What time it is, where a test may want to decide that.

use std::sync::{Arc, PoisonError, RwLock};

use chrono::{DateTime, Duration, Utc};

/// The time by which a service decides what is due, overdue or expired. Cheap to clone.
///
/// Rules take a time as an argument; handlers, consumers and jobs ask this one, and
/// give it to their queries instead of SQL's `now()`. Columns that only say when a
/// row was written may go on to use the database's.
#[derive(Clone, Debug, Default)]
pub struct Clock(Option<Arc<RwLock<DateTime<Utc>>>>);

/// Moves the clock that it was made with.
#[derive(Clone, Debug)]
pub struct Hands(Arc<RwLock<DateTime<Utc>>>);

impl Clock {
    /// The machine's.
    pub fn system() -> Self {
        Self(None)
    }

    /// A clock that stands at `start` until its hands are moved. Jobs under it are done when they are asked for
    /// ([`crate::Process::run_job`]), and not by themselves.
    pub fn manual(start: DateTime<Utc>) -> (Self, Hands) {
        let time = Arc::new(RwLock::new(start));
        (Self(Some(time.clone())), Hands(time))
    }

    /// Whether it has hands.
    pub(crate) fn is_manual(&self) -> bool {
        self.0.is_some()
    }

    /// The time.
    pub fn now(&self) -> DateTime<Utc> {
        match &self.0 {
            None => Utc::now(),
            Some(time) => *time.read().unwrap_or_else(PoisonError::into_inner),
        }
    }
}

impl Hands {
    /// Sets the clock.
    pub fn set(&self, to: DateTime<Utc>) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = to;
    }

    /// Moves the clock on.
    pub fn advance(&self, by: Duration) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) += by;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_manual_clock_stands_until_it_is_moved() {
        let start = DateTime::UNIX_EPOCH + Duration::days(365);
        let (clock, hands) = Clock::manual(start);
        let another = clock.clone();
        hands.advance(Duration::hours(2));
        assert_eq!(another.now(), start + Duration::hours(2));
        hands.set(start);
        assert_eq!(clock.now(), start);
        assert!(Clock::system().now() > start);
    }
}
