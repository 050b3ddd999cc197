//! Many events in one statement.

use std::collections::HashMap;
use std::marker::PhantomData;

use diesel::pg::Pg;
use diesel::query_builder::{AstPass, QueryFragment, QueryId};
use diesel::result::QueryResult;
use diesel::sql_types::{Array, BigInt, Binary, Nullable, SmallInt, Text, Uuid as SqlUuid};
use diesel_async::RunQueryDsl as _;
use parlour_contracts::{Event, id};
use parlour_db::{Conn, DbError, Tx};
use uuid::Uuid;

use super::refuse_large;
use crate::{hash, trace};

/// Events of one type about many aggregates, in one statement.
#[derive(Debug)]
pub struct Many<E> {
    rows: Vec<Row>,
    event: PhantomData<fn(E)>,
}

impl<E> Default for Many<E> {
    fn default() -> Self {
        Self {
            rows: Vec::new(),
            event: PhantomData,
        }
    }
}

#[derive(Debug)]
struct Row {
    aggregate: String,
    id: Uuid,
    lane: i16,
    payload: Vec<u8>,
    traceparent: Option<String>,
}

impl<E: Event> Many<E> {
    /// Announces `event` to `tx`, in which [`Many::write`] has to be called then. It belongs to
    /// the trace of the current span.
    pub fn add(&mut self, tx: &mut Tx, aggregate: String, event: &E) -> Result<(), DbError> {
        let payload = event.encode_to_vec();
        refuse_large(E::TYPE, &aggregate, &payload)?;
        let lane = hash::lane(&aggregate);
        tx.mark_published(lane);
        self.rows.push(Row {
            aggregate,
            id: id::new(),
            lane,
            payload,
            traceparent: trace::current(),
        });
        Ok(())
    }

    /// Publishes them when the transaction that `conn` is in commits, and only then; those of one
    /// aggregate in the order in which they were added. It may travel together with other
    /// statements of that transaction (`join!`).
    ///
    /// The locks on the aggregates' versions are taken in the aggregates' order, so that two such
    /// statements cannot block each other.
    pub async fn write(self, mut conn: &Conn) -> Result<(), DbError> {
        if !self.rows.is_empty() {
            Columns::of(E::TYPE, self.rows).execute(&mut conn).await?;
        }
        Ok(())
    }
}

/// The values of [`Many`], as its statement takes them.
#[derive(Debug, Default)]
struct Columns {
    kind: &'static str,
    aggregates: Vec<String>,
    /// How many of the same aggregate come later.
    behind: Vec<i64>,
    ids: Vec<Uuid>,
    lanes: Vec<i16>,
    payloads: Vec<Vec<u8>>,
    traceparents: Vec<Option<String>>,
}

impl Columns {
    fn of(kind: &'static str, rows: Vec<Row>) -> Self {
        let mut later: HashMap<String, i64> = HashMap::new();
        let mut columns = Self {
            kind,
            ..Self::default()
        };
        for row in rows.into_iter().rev() {
            let behind = later.entry(row.aggregate.clone()).or_default();
            columns.behind.push(*behind);
            *behind += 1;
            columns.aggregates.push(row.aggregate);
            columns.ids.push(row.id);
            columns.lanes.push(row.lane);
            columns.payloads.push(row.payload);
            columns.traceparents.push(row.traceparent);
        }
        columns
    }
}

impl QueryId for Columns {
    type QueryId = Self;
    const HAS_STATIC_QUERY_ID: bool = true;
}

impl QueryFragment<Pg> for Columns {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.push_sql("WITH given AS (SELECT unnest(");
        out.push_bind_param::<Array<Text>, _>(&self.aggregates)?;
        out.push_sql(") AS aggregate, unnest(");
        out.push_bind_param::<Array<BigInt>, _>(&self.behind)?;
        out.push_sql(") AS behind, unnest(");
        out.push_bind_param::<Array<SqlUuid>, _>(&self.ids)?;
        out.push_sql(") AS id, unnest(");
        out.push_bind_param::<Array<SmallInt>, _>(&self.lanes)?;
        out.push_sql(") AS lane, unnest(");
        out.push_bind_param::<Array<Binary>, _>(&self.payloads)?;
        out.push_sql(") AS payload, unnest(");
        out.push_bind_param::<Array<Nullable<Text>>, _>(&self.traceparents)?;
        out.push_sql(
            ") AS traceparent), bumped AS (INSERT INTO aggregate_versions AS a (aggregate, version) \
             SELECT aggregate, count(*) FROM given GROUP BY aggregate ORDER BY aggregate \
             ON CONFLICT (aggregate) DO UPDATE SET version = a.version + excluded.version \
             RETURNING aggregate, version) \
             INSERT INTO outbox (aggregate, version, id, type, lane, payload, traceparent) \
             SELECT aggregate, version - behind, id, ",
        );
        out.push_bind_param::<Text, _>(self.kind)?;
        out.push_sql(
            ", lane, payload, traceparent FROM given JOIN bumped USING (aggregate) \
             ORDER BY aggregate, behind DESC",
        );
        Ok(())
    }
}
