//! What happened to an order, and its result.

use chrono::{DateTime, Utc};
use diesel::QueryableByName;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Binary, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use parlour_db::Conn;
use uuid::Uuid;

use super::statement::Statement;
use crate::schema::results;

/// The most entries that are read: more is nobody's story.
const MOST: i64 = 200;

/// One entry, with the name of who did it.
#[derive(Clone, Debug, QueryableByName)]
#[expect(missing_docs, reason = "the migration documents the columns")]
pub struct Entry {
    #[diesel(sql_type = BigInt)]
    pub version: i64,
    #[diesel(sql_type = Timestamptz)]
    pub at: DateTime<Utc>,
    #[diesel(sql_type = Nullable<SqlUuid>)]
    pub actor_id: Option<Uuid>,
    #[diesel(sql_type = Nullable<Text>)]
    pub actor_name: Option<String>,
    #[diesel(sql_type = Text)]
    pub action: String,
    #[diesel(sql_type = Nullable<Text>)]
    pub from_status: Option<String>,
    #[diesel(sql_type = Text)]
    pub to_status: String,
    #[diesel(sql_type = Nullable<Binary>)]
    pub reason_sealed: Option<Vec<u8>>,
}

/// The result of an order.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = results)]
#[expect(missing_docs, reason = "the migration documents the columns")]
pub struct ResultRow {
    pub revision: i32,
    pub text_sealed: Vec<u8>,
    pub media_ids: Vec<Uuid>,
    pub submitted_at: DateTime<Utc>,
}

/// Where the sealed reason of the entry belongs that makes `version`.
pub fn reason_place(order: Uuid, version: i64) -> String {
    format!("order_history.reason:{order}:{version}")
}

/// Where the sealed text of a result belongs.
pub fn result_place(order: Uuid, revision: i32) -> String {
    format!("results.text:{order}:{revision}")
}

/// The latest entries of an order, in the order in which they happened.
pub async fn of(conn: &mut Conn, order: Uuid) -> QueryResult<Vec<Entry>> {
    let mut entries: Vec<Entry> = Statement::new(
        "SELECT h.version, h.at, h.actor_id, p.display_name AS actor_name, h.action, h.from_status, h.to_status,
           h.reason_sealed
         FROM order_history h LEFT JOIN people p ON p.id = h.actor_id
         WHERE h.order_id = ? ORDER BY h.version DESC LIMIT ?",
    )
    .with(order)
    .with(MOST)
    .load(conn)
    .await?;
    entries.reverse();
    Ok(entries)
}

/// The result of an order, if one was handed in.
pub async fn result(conn: &mut Conn, order: Uuid) -> QueryResult<Option<ResultRow>> {
    results::table
        .find(order)
        .select(ResultRow::as_select())
        .first(conn)
        .await
        .optional()
}
