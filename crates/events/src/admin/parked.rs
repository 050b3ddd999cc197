//! The parked events of one service.

use std::time::Duration;

use chrono::{DateTime, Utc};
use parlour_db::{Db, DbError, Scope, Tx};
use serde::Serialize;
use serde_json::json;
use uuid::Uuid;

use super::Shown;
use crate::consumer::inbox;
use crate::consumer::parked::{self as rows, Row, Setback, State};
use crate::{AuditEntry, audit};

/// Why an operator's wish was not granted.
#[derive(Debug, thiserror::Error)]
pub enum AdminError {
    /// It is not parked (any more).
    #[error("no event {0} is parked here")]
    NotParked(Uuid),
    /// Trying it before the one in front would break the order.
    #[error("the event waits behind {0}, which has to be replayed or dropped first")]
    Waits(Uuid),
    /// The database failed.
    #[error(transparent)]
    Database(#[from] DbError),
}

/// Who does it, for the audit log.
#[derive(Clone, Debug)]
pub struct Operator {
    /// The person, where the command line knows it.
    pub actor_id: Option<Uuid>,
    /// What they are called on the machine that they work on.
    pub name: String,
    /// Where from.
    pub address: String,
}

/// A parked event.
#[derive(Clone, Debug, Serialize)]
pub struct ParkedEvent {
    /// `retrying`, `parked`, or `waiting` behind another.
    pub state: String,
    /// How often it was tried.
    pub attempts: i32,
    /// When it is tried next, if it is `retrying`.
    pub not_before: DateTime<Utc>,
    /// What went wrong last.
    pub last_error: String,
    /// Since when it is here.
    pub first_failed_at: DateTime<Utc>,
    /// The event, decoded.
    pub event: Shown,
}

impl From<Row> for ParkedEvent {
    fn from(row: Row) -> Self {
        Self {
            event: Shown::from(&row.envelope()),
            state: row.state,
            attempts: row.attempts,
            not_before: row.not_before,
            last_error: row.last_error,
            first_failed_at: row.first_failed_at,
        }
    }
}

/// The parked events of a service, those of one aggregate together and in order; `limit` at the most.
pub async fn parked(db: &Db, limit: i64) -> Result<Vec<ParkedEvent>, DbError> {
    let rows = rows::list(&mut *db.conn().await?, limit).await?;
    Ok(rows.into_iter().map(ParkedEvent::from).collect())
}

/// One parked event.
pub async fn show(db: &Db, id: Uuid) -> Result<ParkedEvent, AdminError> {
    let row = rows::peek(&mut *db.conn().await?, id).await?;
    row.map(ParkedEvent::from).ok_or(AdminError::NotParked(id))
}

/// Has the event tried again now, with a whole ladder before it. When it succeeds,
/// what waits behind it follows in order. A running consumer does it within a second.
pub async fn replay(db: &Db, id: Uuid) -> Result<(), AdminError> {
    db.write(Scope::Service, async move |tx: &mut Tx| {
        let row = locked(tx, id).await?;
        if row.state == State::Waiting.name() {
            let head = rows::head(tx, &row.source, &row.aggregate).await?;
            return Err(AdminError::Waits(head));
        }
        let now = Setback {
            state: State::Retrying,
            attempts: 0,
            pause: Duration::ZERO,
            error: &row.last_error,
        };
        Ok(rows::set_back(tx, id, &now).await?)
    })
    .await
}

/// Gives the event up for good, which the audit log records with the reason; what
/// waits behind it goes on.
pub async fn drop_event(db: &Db, id: Uuid, reason: &str, operator: Operator) -> Result<(), AdminError> {
    let reason = reason.to_owned();
    db.write(Scope::Service, async move |tx: &mut Tx| {
        let row = locked(tx, id).await?;
        let event = row.envelope();
        // It counts as handled: a redelivery must not bring it back.
        inbox::record(tx, &event).await?;
        rows::remove(tx, &event).await?;
        let entry = AuditEntry {
            actor_id: operator.actor_id,
            role: "operator".to_owned(),
            address: operator.address,
            action: "event.dropped".to_owned(),
            target_type: "event".to_owned(),
            target_id: id.to_string(),
            before: Some(json!({
                "type": event.event_type, "source": event.source, "aggregate": event.aggregate,
                "version": event.version, "state": row.state, "last_error": row.last_error,
            })),
            after: Some(json!({ "reason": reason, "operator": operator.name })),
            request_id: String::new(),
        };
        audit(tx, entry).await?;
        Ok(())
    })
    .await
}

/// The row, under the lock of its aggregate.
async fn locked(tx: &mut Tx, id: Uuid) -> Result<Row, AdminError> {
    let row = rows::peek(tx, id).await?.ok_or(AdminError::NotParked(id))?;
    inbox::lock(tx, &row.source, &row.aggregate).await?;
    rows::find(tx, id).await?.ok_or(AdminError::NotParked(id))
}
