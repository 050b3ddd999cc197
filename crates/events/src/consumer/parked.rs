//! The parked events: on the ladder, parked, or waiting behind one that is.

use std::time::Duration;

use chrono::{DateTime, Utc};
use diesel::sql_types::{BigInt, Binary, Double, Integer, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use diesel::{
    ExpressionMethods as _, OptionalExtension as _, QueryDsl as _, Queryable, Selectable,
    SelectableHelper as _, sql_query,
};
use diesel_async::RunQueryDsl;
use parlour_db::{Conn, DbError};
use uuid::Uuid;

use crate::Envelope;

diesel::table! {
    parked (event_id) {
        event_id -> Uuid,
        seq -> BigInt,
        state -> Text,
        attempts -> Integer,
        not_before -> Timestamptz,
        last_error -> Text,
        #[sql_name = "type"]
        event_type -> Text,
        source -> Text,
        aggregate -> Text,
        version -> BigInt,
        time -> Timestamptz,
        payload -> Binary,
        traceparent -> Nullable<Text>,
        first_failed_at -> Timestamptz,
    }
}

/// Where a parked event stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    /// It is tried again when its time has come.
    Retrying,
    /// It needs a person.
    Parked,
    /// An earlier event of its aggregate is in one of the other states.
    Waiting,
}

impl State {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Retrying => "retrying",
            Self::Parked => "parked",
            Self::Waiting => "waiting",
        }
    }
}

/// A parked event with its history.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = parked, check_for_backend(diesel::pg::Pg))]
pub(crate) struct Row {
    pub(crate) event_id: Uuid,
    pub(crate) state: String,
    pub(crate) attempts: i32,
    pub(crate) not_before: DateTime<Utc>,
    pub(crate) last_error: String,
    pub(crate) event_type: String,
    pub(crate) source: String,
    pub(crate) aggregate: String,
    pub(crate) version: i64,
    pub(crate) time: DateTime<Utc>,
    pub(crate) payload: Vec<u8>,
    pub(crate) traceparent: Option<String>,
    pub(crate) first_failed_at: DateTime<Utc>,
}

impl Row {
    pub(crate) fn envelope(&self) -> Envelope {
        Envelope {
            id: self.event_id,
            event_type: self.event_type.clone(),
            source: self.source.clone(),
            aggregate: self.aggregate.clone(),
            version: self.version,
            time: self.time,
            traceparent: self.traceparent.clone(),
            payload: self.payload.clone(),
        }
    }
}

/// Why and for how long an event is put aside.
pub(crate) struct Setback<'a> {
    pub(crate) state: State,
    pub(crate) attempts: i32,
    pub(crate) pause: Duration,
    pub(crate) error: &'a str,
}

/// Puts an event aside. One that is there already stays as it is. The database's
/// clock says when it is due, because replicas share the rows.
pub(crate) async fn park(conn: &mut Conn, event: &Envelope, setback: &Setback<'_>) -> Result<(), DbError> {
    sql_query(
        "INSERT INTO parked (event_id, state, attempts, not_before, last_error, \
           type, source, aggregate, version, time, payload, traceparent) \
         VALUES ($1, $2, $3, clock_timestamp() + $4 * interval '1 second', $5, \
           $6, $7, $8, $9, $10, $11, $12) \
         ON CONFLICT (event_id) DO NOTHING",
    )
    .bind::<SqlUuid, _>(event.id)
    .bind::<Text, _>(setback.state.name())
    .bind::<Integer, _>(setback.attempts)
    .bind::<Double, _>(setback.pause.as_secs_f64())
    .bind::<Text, _>(setback.error)
    .bind::<Text, _>(&event.event_type)
    .bind::<Text, _>(&event.source)
    .bind::<Text, _>(&event.aggregate)
    .bind::<BigInt, _>(event.version)
    .bind::<Timestamptz, _>(event.time)
    .bind::<Binary, _>(&event.payload)
    .bind::<Nullable<Text>, _>(&event.traceparent)
    .execute(conn)
    .await?;
    Ok(())
}

/// Notes another setback of a parked event.
pub(crate) async fn set_back(conn: &mut Conn, id: Uuid, setback: &Setback<'_>) -> Result<(), DbError> {
    sql_query(
        "UPDATE parked SET state = $2, attempts = $3, last_error = $5, \
           not_before = clock_timestamp() + $4 * interval '1 second' \
         WHERE event_id = $1",
    )
    .bind::<SqlUuid, _>(id)
    .bind::<Text, _>(setback.state.name())
    .bind::<Integer, _>(setback.attempts)
    .bind::<Double, _>(setback.pause.as_secs_f64())
    .bind::<Text, _>(setback.error)
    .execute(conn)
    .await?;
    Ok(())
}

/// The events that are due, those waiting longest first.
pub(crate) async fn due(conn: &mut Conn, limit: i64) -> Result<Vec<Uuid>, DbError> {
    Ok(parked::table
        .filter(parked::state.eq(State::Retrying.name()))
        .filter(parked::not_before.le(clock()))
        .order(parked::not_before)
        .limit(limit)
        .select(parked::event_id)
        .load(conn)
        .await?)
}

/// How long until the next event is due; none when there is none.
pub(crate) async fn next_due(conn: &mut Conn) -> Result<Option<Duration>, DbError> {
    let seconds: Option<f64> = parked::table
        .filter(parked::state.eq(State::Retrying.name()))
        .select(diesel::dsl::sql::<Nullable<Double>>(
            "extract(epoch FROM min(not_before) - clock_timestamp())::float8",
        ))
        .first(conn)
        .await?;
    Ok(seconds.map(|s| Duration::from_secs_f64(s.max(0.0))))
}

fn clock() -> diesel::expression::SqlLiteral<Timestamptz> {
    diesel::dsl::sql("clock_timestamp()")
}

/// The row, locked.
pub(crate) async fn find(conn: &mut Conn, id: Uuid) -> Result<Option<Row>, DbError> {
    Ok(parked::table
        .find(id)
        .for_update()
        .select(Row::as_select())
        .first(conn)
        .await
        .optional()?)
}

/// Takes an event out and lets the next of its aggregate be tried at once.
pub(crate) async fn remove(conn: &mut Conn, event: &Envelope) -> Result<(), DbError> {
    diesel::delete(parked::table.find(event.id)).execute(conn).await?;
    sql_query(
        "UPDATE parked SET state = 'retrying', attempts = 0, not_before = clock_timestamp() \
         WHERE state = 'waiting' AND event_id = (SELECT event_id FROM parked \
           WHERE source = $1 AND aggregate = $2 ORDER BY version, seq LIMIT 1)",
    )
    .bind::<Text, _>(&event.source)
    .bind::<Text, _>(&event.aggregate)
    .execute(conn)
    .await?;
    Ok(())
}

/// The row as it is, not locked.
pub(crate) async fn peek(conn: &mut Conn, id: Uuid) -> Result<Option<Row>, DbError> {
    let row = parked::table.find(id).select(Row::as_select()).first(conn).await;
    Ok(row.optional()?)
}

/// Whether the event is still to be tried now.
pub(crate) async fn is_due(conn: &mut Conn, id: Uuid) -> Result<bool, DbError> {
    let due = parked::table
        .find(id)
        .filter(parked::state.eq(State::Retrying.name()))
        .filter(parked::not_before.le(clock()));
    Ok(diesel::select(diesel::dsl::exists(due)).get_result(conn).await?)
}

/// How many events there are in each state.
pub(crate) async fn counts(conn: &mut Conn) -> Result<Vec<(String, i64)>, DbError> {
    Ok(parked::table
        .group_by(parked::state)
        .select((parked::state, diesel::dsl::count_star()))
        .load(conn)
        .await?)
}

/// Everything, those of one aggregate together and in order.
pub(crate) async fn list(conn: &mut Conn, limit: i64) -> Result<Vec<Row>, DbError> {
    Ok(parked::table
        .order((parked::source, parked::aggregate, parked::version, parked::seq))
        .limit(limit)
        .select(Row::as_select())
        .load(conn)
        .await?)
}

/// The event that the others of its aggregate wait for.
pub(crate) async fn head(conn: &mut Conn, source: &str, aggregate: &str) -> Result<Uuid, DbError> {
    Ok(parked::table
        .filter(parked::source.eq(source))
        .filter(parked::aggregate.eq(aggregate))
        .order((parked::version, parked::seq))
        .select(parked::event_id)
        .first(conn)
        .await?)
}
