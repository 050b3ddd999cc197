//! Writing events to the outbox.

mod many;

use std::fmt::Display;

use diesel::pg::Pg;
use diesel::query_builder::{AstPass, QueryFragment, QueryId};
use diesel::result::{Error as Diesel, QueryResult};
use diesel::sql_types::{Binary, Nullable, SmallInt, Text, Uuid as SqlUuid};
use diesel_async::RunQueryDsl as _;
use parlour_contracts::{Event, audit_type, events::v1::AuditRecorded, id};
use parlour_db::{Conn, DbError, Statement, Tx};
use prost::Message;
use uuid::Uuid;

pub use many::Many;

use crate::{hash, trace};

/// The largest payload, in bytes. A message that the broker refuses closes the
/// channel and would stand in the way of all others, so it is refused here.
pub const MAX_PAYLOAD: usize = 1 << 20;

/// Publishes `event` about `aggregate` (such as `order:<id>`) when `tx` commits, and only then.
/// Answers the event's id.
///
/// It takes the lock on the aggregate's version until the commit: events of one
/// aggregate are numbered in the order of their commits. Two transactions that
/// publish about the same two aggregates should do so in the same order.
pub async fn publish<E: Event>(tx: &mut Tx, aggregate: impl Display, event: &E) -> Result<Uuid, DbError> {
    let kind = E::TYPE.to_owned();
    write(tx, kind, aggregate.to_string(), event.encode_to_vec()).await
}

/// One line of the audit log.
#[derive(Clone, Debug, Default)]
pub struct AuditEntry {
    /// Who did it; none for the system itself.
    pub actor_id: Option<Uuid>,
    /// The role that allowed it.
    pub role: String,
    /// The address the request came from.
    pub address: String,
    /// What was done, such as `roles.granted`.
    pub action: String,
    /// The kind of thing that was changed, such as `account`.
    pub target_type: String,
    /// Which one.
    pub target_id: String,
    /// What it was, personal fields left out.
    pub before: Option<serde_json::Value>,
    /// What it is now, personal fields left out.
    pub after: Option<serde_json::Value>,
    /// The request that caused it.
    pub request_id: String,
}

/// Records `entry` in the audit log when `tx` commits.
pub async fn audit(tx: &mut Tx, entry: AuditEntry) -> Result<Uuid, DbError> {
    let (kind, aggregate, payload) = recorded(tx.service(), entry);
    write(tx, kind, aggregate, payload).await
}

/// Type, aggregate and payload of a line of the audit log.
fn recorded(service: &str, entry: AuditEntry) -> (String, String, Vec<u8>) {
    let json = |value: Option<serde_json::Value>| value.map_or_else(String::new, |v| v.to_string());
    let aggregate = format!("audit:{}:{}", entry.target_type, entry.target_id);
    let record = AuditRecorded {
        actor_id: entry.actor_id.map_or_else(String::new, |id| id.to_string()),
        role: entry.role,
        address: entry.address,
        action: entry.action,
        target_type: entry.target_type,
        target_id: entry.target_id,
        before: json(entry.before),
        after: json(entry.after),
        request_id: entry.request_id,
        time_ms: chrono::Utc::now().timestamp_millis(),
    };
    (audit_type(service), aggregate, record.encode_to_vec())
}

/// An event that a service's own SQL function finishes and writes with `outbox_append`, in
/// the statement of its effect. The transaction has to be told with [`Tx::mark_published`].
#[derive(Clone, Debug)]
pub struct Draft {
    /// The event's id.
    pub id: Uuid,
    /// The lane of its aggregate.
    pub lane: i16,
    /// The event as far as it is known, encoded. The function may append fields.
    pub payload: Vec<u8>,
    /// The trace that it belongs to.
    pub traceparent: Option<String>,
}

impl Draft {
    /// Begins `event` about `aggregate`.
    pub fn new<E: Event>(aggregate: &str, event: &E) -> Result<Self, DbError> {
        let payload = event.encode_to_vec();
        refuse_large(E::TYPE, aggregate, &payload)?;
        Ok(Self {
            id: id::new(),
            lane: hash::lane(aggregate),
            payload,
            traceparent: trace::current(),
        })
    }
}

/// Events and lines of the audit log that are written together, in their order and in
/// the time of one round trip.
#[derive(Debug, Default)]
pub struct Batch {
    rows: Vec<(String, String, Vec<u8>)>,
    audits: Vec<AuditEntry>,
}

impl Batch {
    /// Adds an event about `aggregate`; see [`publish`].
    #[must_use]
    pub fn event<E: Event>(mut self, aggregate: impl Display, event: &E) -> Self {
        self.rows
            .push((E::TYPE.to_owned(), aggregate.to_string(), event.encode_to_vec()));
        self
    }

    /// Adds a line of the audit log, behind the events; see [`audit`].
    #[must_use]
    pub fn audit(mut self, entry: AuditEntry) -> Self {
        self.audits.push(entry);
        self
    }

    /// Publishes all of it when `tx` commits, and only then.
    pub async fn write(self, tx: &mut Tx) -> Result<(), DbError> {
        let rows = self.announce(tx)?.0;
        // Statements that share a connection are sent one after the other without waiting.
        let conn: &Conn = tx;
        let sent = rows.iter().map(|row| Insert(row).execute(&mut &*conn));
        futures_util::future::try_join_all(sent).await?;
        Ok(())
    }

    /// Announces all of it to `tx`, where a statement has to write it, see [`Announced::written_by`].
    pub fn announce(mut self, tx: &mut Tx) -> Result<Announced, DbError> {
        let service = tx.service();
        self.rows
            .extend(self.audits.into_iter().map(|entry| recorded(service, entry)));
        let rows = self
            .rows
            .into_iter()
            .map(|(kind, aggregate, payload)| row(kind, aggregate, payload));
        let rows: Vec<Row> = rows.collect::<Result<_, _>>()?;
        for row in &rows {
            tx.mark_published(row.lane);
        }
        Ok(Announced(rows))
    }
}

/// What the statement of its effect publishes.
#[derive(Debug)]
pub struct Announced(Vec<Row>);

impl Announced {
    /// Goes on with a column for each, after others, that writes it to the outbox: once for each row that the
    /// statement selects, of which there must be one where there was an effect and none where there was none.
    #[must_use]
    pub fn written_by<'r, T>(&'r self, statement: Statement<'r, T>) -> Statement<'r, T> {
        self.0.iter().fold(statement, |statement, row| {
            statement
                .and(", outbox_append(?, ?, ?, ?, ?, ?)")
                .with(row.id)
                .with(row.kind.as_str())
                .with(row.aggregate.as_str())
                .with(row.lane)
                .with(row.payload.as_slice())
                .with(row.traceparent.as_deref())
        })
    }
}

async fn write(tx: &mut Tx, kind: String, aggregate: String, payload: Vec<u8>) -> Result<Uuid, DbError> {
    let row = row(kind, aggregate, payload)?;
    tx.mark_published(row.lane);
    Insert(&row).execute(&mut **tx).await?;
    Ok(row.id)
}

fn row(kind: String, aggregate: String, payload: Vec<u8>) -> Result<Row, DbError> {
    refuse_large(&kind, &aggregate, &payload)?;
    Ok(Row {
        id: id::new(),
        lane: hash::lane(&aggregate),
        kind,
        aggregate,
        payload,
        traceparent: trace::current(),
    })
}

fn refuse_large(kind: &str, aggregate: &str, payload: &[u8]) -> Result<(), DbError> {
    if payload.len() <= MAX_PAYLOAD {
        return Ok(());
    }
    let message = format!("{kind} of {aggregate}: {} bytes are too many", payload.len());
    Err(DbError::Query(Diesel::SerializationError(message.into())))
}

/// An event on its way to the outbox.
#[derive(Debug)]
struct Row {
    id: Uuid,
    kind: String,
    aggregate: String,
    lane: i16,
    payload: Vec<u8>,
    traceparent: Option<String>,
}

/// Version and event in one statement. Written by hand and not through
/// `sql_query`, whose statements are prepared anew each time.
struct Insert<'a>(&'a Row);

impl QueryId for Insert<'_> {
    type QueryId = Insert<'static>;
    const HAS_STATIC_QUERY_ID: bool = true;
}

impl QueryFragment<Pg> for Insert<'_> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.push_sql("WITH bumped AS (INSERT INTO aggregate_versions AS a (aggregate, version) VALUES (");
        out.push_bind_param::<Text, _>(&self.0.aggregate)?;
        out.push_sql(
            ", 1) ON CONFLICT (aggregate) DO UPDATE SET version = a.version + 1 \
             RETURNING aggregate, version) \
             INSERT INTO outbox (aggregate, version, id, type, lane, payload, traceparent) \
             SELECT aggregate, version, ",
        );
        out.push_bind_param::<SqlUuid, _>(&self.0.id)?;
        out.push_sql(", ");
        out.push_bind_param::<Text, _>(&self.0.kind)?;
        out.push_sql(", ");
        out.push_bind_param::<SmallInt, _>(&self.0.lane)?;
        out.push_sql(", ");
        out.push_bind_param::<Binary, _>(&self.0.payload)?;
        out.push_sql(", ");
        out.push_bind_param::<Nullable<Text>, _>(&self.0.traceparent)?;
        out.push_sql(" FROM bumped");
        Ok(())
    }
}
