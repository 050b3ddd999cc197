//! When a refused delivery is tried again.

use chrono::{DateTime, Duration, Utc};

use crate::channels::{Class, Refused};

/// How long and how often it is tried.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// The pause after the first failure.
    pub first: Duration,
    /// The longest pause.
    pub longest: Duration,
    /// Attempts at the most.
    pub attempts: i32,
    /// Since it was queued.
    pub lifetime: Duration,
}

/// What follows from a refusal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// It is tried again then.
    At(DateTime<Utc>),
    /// It is given up.
    GiveUp,
}

/// Decides, after `attempts` of them. `jitter` is between 0 and 1 and keeps many that
/// failed together from coming back together.
pub fn after(
    refused: &Refused,
    attempts: i32,
    queued_at: DateTime<Utc>,
    expires_at: Option<DateTime<Utc>>,
    patience: &Patience,
    now: DateTime<Utc>,
    jitter: f64,
) -> Next {
    if matches!(refused.class, Class::Permanent | Class::BadAddress) || attempts >= patience.attempts {
        return Next::GiveUp;
    }
    let asked = refused
        .retry_after
        .and_then(|after| Duration::from_std(after).ok());
    let at = now + asked.unwrap_or_default().max(pause(patience, attempts, jitter));
    let last = queued_at + patience.lifetime;
    if at > last || expires_at.is_some_and(|end| at >= end) {
        Next::GiveUp
    } else {
        Next::At(at)
    }
}

/// Twice as long after each failure, and of that between half and the whole.
fn pause(patience: &Patience, attempts: i32, jitter: f64) -> Duration {
    let doublings = u32::try_from(attempts.saturating_sub(1)).unwrap_or(0).min(20);
    let whole = patience
        .first
        .checked_mul(1 << doublings)
        .unwrap_or(patience.longest)
        .min(patience.longest);
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        reason = "a rough figure by intent"
    )]
    let shortened = (whole.num_milliseconds() as f64 * (0.5 + jitter.clamp(0.0, 1.0) / 2.0)) as i64;
    Duration::milliseconds(shortened)
}

#[cfg(test)]
mod tests {
    use std::time::Duration as StdDuration;

    use super::*;

    const PATIENCE: Patience = Patience {
        first: Duration::seconds(10),
        longest: Duration::minutes(30),
        attempts: 5,
        lifetime: Duration::hours(1),
    };

    fn refused(class: Class, retry_after: Option<u64>) -> Refused {
        Refused {
            class,
            provider: "p".into(),
            words: String::new(),
            retry_after: retry_after.map(StdDuration::from_secs),
        }
    }

    fn next(class: Class, retry_after: Option<u64>, attempts: i32) -> Next {
        let now = DateTime::UNIX_EPOCH;
        after(
            &refused(class, retry_after),
            attempts,
            now,
            None,
            &PATIENCE,
            now,
            1.0,
        )
    }

    fn seconds(seconds: i64) -> Next {
        Next::At(DateTime::UNIX_EPOCH + Duration::seconds(seconds))
    }

    #[test]
    fn pauses_double_and_the_providers_wish_counts() {
        assert_eq!(next(Class::Transient, None, 1), seconds(10));
        assert_eq!(next(Class::Transient, None, 3), seconds(40));
        assert_eq!(next(Class::Throttled, Some(90), 1), seconds(90));
        assert_eq!(next(Class::Throttled, Some(1), 3), seconds(40));
    }

    #[test]
    fn what_cannot_succeed_ends() {
        assert_eq!(next(Class::Permanent, None, 1), Next::GiveUp);
        assert_eq!(next(Class::BadAddress, None, 1), Next::GiveUp);
        assert_eq!(next(Class::Transient, None, 5), Next::GiveUp);
        assert_eq!(next(Class::Throttled, Some(3601), 1), Next::GiveUp);
        let now = DateTime::UNIX_EPOCH;
        let soon = Some(now + Duration::seconds(10));
        let refusal = refused(Class::Transient, None);
        assert_eq!(after(&refusal, 1, now, soon, &PATIENCE, now, 1.0), Next::GiveUp);
    }

    #[test]
    fn jitter_takes_up_to_a_half() {
        let now = DateTime::UNIX_EPOCH;
        let refusal = refused(Class::Transient, None);
        let at = after(&refusal, 1, now, None, &PATIENCE, now, 0.0);
        assert_eq!(at, seconds(5));
    }
}
