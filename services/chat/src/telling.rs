//! What others are told: the events about conversations, and the audit log.

use parlour_contracts::{Event, chat::v1 as told};
use parlour_db::{DbError, Tx};
use parlour_events::publish;
use uuid::Uuid;

pub use parlour_chassis::audit_entry as entry;

/// The name of a conversation among the aggregates.
pub fn aggregate(session: Uuid) -> String {
    format!("session:{session}")
}

/// Publishes an event about a conversation.
pub async fn about<E: Event>(tx: &mut Tx, session: Uuid, event: &E) -> Result<(), DbError> {
    publish(tx, aggregate(session), event).await?;
    Ok(())
}

/// Ids as events carry them.
pub fn ids(ids: &[Uuid]) -> Vec<String> {
    ids.iter().map(Uuid::to_string).collect()
}

/// An id that may be missing, as events carry it.
pub fn id(id: Option<Uuid>) -> String {
    id.map_or_else(String::new, |id| id.to_string())
}

/// A person has read up to a message.
pub fn read(session: Uuid, user: Uuid, message: Uuid, seq: i64) -> told::MessageRead {
    told::MessageRead {
        session_id: session.to_string(),
        user_id: user.to_string(),
        message_id: message.to_string(),
        seq,
    }
}
