//! How a handler fails.

use std::error::Error;

use diesel::result::{DatabaseErrorKind, Error as Diesel};
use parlour_db::DbError;

/// The cause of a failure.
pub type Cause = Box<dyn Error + Send + Sync>;

/// Why an event did not take effect, and whether trying again can help.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// It may succeed later: it is tried again down the ladder, then parked.
    #[error("{0}")]
    Retry(#[source] Cause),
    /// It can never succeed as it is: it is parked at once.
    #[error("{0}")]
    Poison(#[source] Cause),
}

impl Failure {
    /// A failure worth another attempt.
    pub fn retry(cause: impl Into<Cause>) -> Self {
        Self::Retry(cause.into())
    }

    /// A failure that no other attempt can mend.
    pub fn poison(cause: impl Into<Cause>) -> Self {
        Self::Poison(cause.into())
    }

    fn database(&self) -> Option<&DbError> {
        match self {
            Self::Retry(cause) | Self::Poison(cause) => cause.downcast_ref(),
        }
    }

    /// Nothing is known about the event itself: the database went away underneath.
    pub(crate) fn is_outage(&self) -> bool {
        self.database().is_some_and(DbError::is_outage)
    }

    /// Another transaction was in the way; the same work may succeed at once.
    pub(crate) fn is_contention(&self) -> bool {
        matches!(self.database(), Some(DbError::Contended(_)))
    }

    /// The failure and everything below it, for the parked row.
    pub(crate) fn chain(&self) -> String {
        let mut text = self.to_string();
        let mut cause = self.source().and_then(Error::source);
        while let Some(error) = cause {
            let next = error.to_string();
            if !text.ends_with(&next) {
                text.push_str(": ");
                text.push_str(&next);
            }
            cause = error.source();
        }
        text.chars().take(2_000).collect()
    }
}

/// Only what the same rows can never satisfy is poison. A missing row, a foreign
/// key or a unique constraint may only be early: the other event is on its way.
impl From<DbError> for Failure {
    fn from(error: DbError) -> Self {
        let hopeless = matches!(
            &error,
            DbError::Query(
                Diesel::DatabaseError(
                    DatabaseErrorKind::NotNullViolation | DatabaseErrorKind::CheckViolation,
                    _
                ) | Diesel::SerializationError(_)
                    | Diesel::DeserializationError(_)
                    | Diesel::QueryBuilderError(_)
                    | Diesel::InvalidCString(_)
            )
        );
        if hopeless {
            Self::poison(error)
        } else {
            Self::retry(error)
        }
    }
}

impl From<Diesel> for Failure {
    fn from(error: Diesel) -> Self {
        DbError::from(error).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn causes_are_classed() {
        assert!(matches!(Failure::from(DbError::NotFound), Failure::Retry(_)));
        assert!(matches!(
            Failure::from(DbError::Conflict("x".into())),
            Failure::Retry(_)
        ));
        assert!(Failure::from(DbError::Unavailable("x".into())).is_outage());
        assert!(Failure::from(DbError::Contended("x".into())).is_contention());
        let broken = Diesel::DeserializationError("no".into());
        assert!(matches!(Failure::from(broken), Failure::Poison(_)));
    }

    #[test]
    fn the_chain_names_every_cause_once() {
        let inner = Diesel::DeserializationError("bad enum".into());
        let failure = Failure::from(DbError::Query(inner));
        assert_eq!(
            failure.chain().matches("bad enum").count(),
            1,
            "{}",
            failure.chain()
        );
    }
}
