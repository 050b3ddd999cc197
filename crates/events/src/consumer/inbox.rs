//! The inbox: which events have taken effect here.

use diesel::sql_query;
use diesel::sql_types::{BigInt, Bool, Text, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use parlour_db::{Conn, DbError};

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
    Ok(match answer.as_str() {
        "new" => Entry::New,
        "behind" => Entry::Behind,
        "stale" => Entry::Stale,
        _ => Entry::Duplicate,
    })
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
