//! When counsellors can be booked.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use parlour_db::Conn;
use uuid::Uuid;

use crate::schema::availability;

/// A row.
#[derive(Clone, Debug, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = availability)]
#[expect(missing_docs, reason = "the migration documents the columns")]
pub struct Availability {
    pub reader_id: Uuid,
    pub time_zone: String,
    pub weekly: serde_json::Value,
    pub exceptions: serde_json::Value,
    pub horizon_days: i32,
    pub updated_at: DateTime<Utc>,
}

/// The hours of a counsellor, if they have any.
pub async fn find(conn: &mut Conn, reader: Uuid) -> QueryResult<Option<Availability>> {
    availability::table
        .find(reader)
        .select(Availability::as_select())
        .first(conn)
        .await
        .optional()
}

/// Puts them in the place of what was there.
pub async fn put(conn: &mut Conn, row: &Availability) -> QueryResult<()> {
    diesel::insert_into(availability::table)
        .values(row)
        .on_conflict(availability::reader_id)
        .do_update()
        .set(row)
        .execute(conn)
        .await?;
    Ok(())
}

/// Forgets the hours of somebody.
pub async fn delete(conn: &mut Conn, reader: Uuid) -> QueryResult<()> {
    diesel::delete(availability::table.find(reader))
        .execute(conn)
        .await?;
    Ok(())
}
