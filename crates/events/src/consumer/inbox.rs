//! The inbox: which events have taken effect here.

use std::sync::Arc;

use diesel::sql_query;
use diesel::sql_types::{BigInt, Bool, Text, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use parlour_db::{Conn, DbError, Statement};
use uuid::Uuid;

use crate::Envelope;

diesel::define_sql_function! {
    fn inbox_enter(
        event: SqlUuid,
        event_type: Text,
        source: Text,
        aggregate: Text,
        version: BigInt,
        record: Bool,
    ) -> Text;
}

/// What the inbox says of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Entry {
    New,
    Duplicate,
    Stale,
    Behind,
}

impl Entry {
    fn named(answer: &str) -> Self {
        match answer {
            "new" => Self::New,
            "behind" => Self::Behind,
            "stale" => Self::Stale,
            _ => Self::Duplicate,
        }
    }
}

/// Locks the aggregate and looks the event up; a new one is recorded if `record`.
pub(crate) async fn enter(conn: &mut Conn, event: &Envelope, record: bool) -> Result<Entry, DbError> {
    let call = inbox_enter(
        event.id,
        &event.event_type,
        &event.source,
        &event.aggregate,
        event.version,
        record,
    );
    let answer: String = diesel::select(call).get_result(conn).await?;
    Ok(Entry::named(&answer))
}

/// The same for many, one after the other in one statement; the new ones are recorded.
pub(crate) async fn enter_all(conn: &mut Conn, events: &[Arc<Envelope>]) -> Result<Vec<Entry>, DbError> {
    let of = |text: fn(&Envelope) -> &str| -> Vec<&str> { events.iter().map(|event| text(event)).collect() };
    let ids: Vec<Uuid> = events.iter().map(|event| event.id).collect();
    let versions: Vec<i64> = events.iter().map(|event| event.version).collect();
    let (types, sources) = (of(|event| &event.event_type), of(|event| &event.source));
    let aggregates = of(|event| &event.aggregate);
    let enter = Statement::<(Text,)>::of(
        "SELECT inbox_enter(e.id, e.type, e.source, e.aggregate, e.version, true) \
         FROM unnest(?, ?, ?, ?, ?) AS e (id, type, source, aggregate, version)",
    )
    .with(&ids[..])
    .with(&types[..])
    .with(&sources[..])
    .with(&aggregates[..])
    .with(&versions[..]);
    let answers: Vec<(String,)> = enter.load(conn).await?;
    Ok(answers.iter().map(|(answer,)| Entry::named(answer)).collect())
}

/// Locks the aggregate until the end of the transaction.
pub(crate) async fn lock(conn: &mut Conn, source: &str, aggregate: &str) -> Result<(), DbError> {
    sql_query("SELECT inbox_lock($1, $2)")
        .bind::<Text, _>(source)
        .bind::<Text, _>(aggregate)
        .execute(conn)
        .await?;
    Ok(())
}

/// Records an event as handled.
pub(crate) async fn record(conn: &mut Conn, event: &Envelope) -> Result<(), DbError> {
    sql_query("SELECT inbox_record($1, $2, $3, $4, $5)")
        .bind::<SqlUuid, _>(event.id)
        .bind::<Text, _>(&event.event_type)
        .bind::<Text, _>(&event.source)
        .bind::<Text, _>(&event.aggregate)
        .bind::<BigInt, _>(event.version)
        .execute(conn)
        .await?;
    Ok(())
}
