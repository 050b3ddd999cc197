//! What can go wrong between a service and its database.

use diesel::result::{DatabaseErrorKind, Error as Diesel};

/// A failure of the database, classed by what the caller can do about it.
#[derive(Debug, thiserror::Error)]
pub enum DbError {
    /// The database cannot be reached, or the connection broke: try again later.
    #[error("the database cannot be reached: {0}")]
    Unavailable(String),
    /// Every connection was in use for as long as one may wait: nothing was begun.
    #[error("every connection to the database is in use")]
    Busy,
    /// Another transaction was in the way (deadlock, serialization, lock time-out): try again.
    #[error("the transaction lost a race: {0}")]
    Contended(String),
    /// A unique or exclusion constraint refused the row; the constraint's name.
    #[error("constraint {0} refused the row")]
    Conflict(String),
    /// No row, where one had to be.
    #[error("no such row")]
    NotFound,
    /// Anything else is a mistake in the program or the schema.
    #[error("query failed: {0}")]
    Query(#[source] Diesel),
    /// The task that ran the transaction panicked; it was rolled back.
    #[error("the transaction panicked")]
    Panicked,
}

impl DbError {
    /// Whether the same work may succeed when it is tried again.
    pub fn is_transient(&self) -> bool {
        self.is_outage() || matches!(self, Self::Contended(_))
    }

    /// Whether there was no connection to work with, or it broke: this says nothing of the work.
    pub fn is_outage(&self) -> bool {
        matches!(self, Self::Unavailable(_) | Self::Busy)
    }

    /// Whether this is the refusal of the named unique or exclusion constraint.
    pub fn violates(&self, constraint: &str) -> bool {
        matches!(self, Self::Conflict(name) if name == constraint)
    }
}

impl From<Diesel> for DbError {
    fn from(error: Diesel) -> Self {
        match error {
            Diesel::NotFound => Self::NotFound,
            Diesel::BrokenTransactionManager => Self::Unavailable(error.to_string()),
            Diesel::DatabaseError(kind, info) => match kind {
                DatabaseErrorKind::UniqueViolation | DatabaseErrorKind::ExclusionViolation => {
                    Self::Conflict(info.constraint_name().unwrap_or_default().to_owned())
                }
                DatabaseErrorKind::SerializationFailure => Self::Contended(info.message().to_owned()),
                DatabaseErrorKind::ClosedConnection | DatabaseErrorKind::UnableToSendCommand => {
                    Self::Unavailable(info.message().to_owned())
                }
                _ => classify_message(kind, info),
            },
            other => Self::Query(other),
        }
    }
}

/// diesel has no kind for deadlocks, lock time-outs and an ending server, so the
/// server's (untranslated, see `lc_messages` in the migration) message decides.
fn classify_message(
    kind: DatabaseErrorKind,
    info: Box<dyn diesel::result::DatabaseErrorInformation + Send + Sync>,
) -> DbError {
    let message = info.message().to_owned();
    let contended = ["deadlock detected", "due to lock timeout", "could not serialize"];
    let gone = [
        "connection closed",
        "terminating connection",
        "the database system is",
        "error communicating with the server",
        "Connection reset",
        "Broken pipe",
    ];
    if contended.iter().any(|m| message.contains(m)) {
        DbError::Contended(message)
    } else if gone.iter().any(|m| message.contains(m)) {
        DbError::Unavailable(message)
    } else {
        DbError::Query(Diesel::DatabaseError(kind, info))
    }
}
