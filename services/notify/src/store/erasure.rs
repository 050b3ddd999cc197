//! Forgetting a person, and what is past its time.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::{BigInt, Timestamptz};
use diesel_async::RunQueryDsl;
use parlour_db::Conn;
use uuid::Uuid;

use crate::schema::{contacts, counters, deliveries, notifications, room_seats, settings, subscriptions};

/// Deletes everything about a person.
pub async fn erase(conn: &mut Conn, account: Uuid) -> QueryResult<()> {
    diesel::delete(deliveries::table.filter(deliveries::account_id.eq(account)))
        .execute(conn)
        .await?;
    diesel::delete(notifications::table.filter(notifications::account_id.eq(account)))
        .execute(conn)
        .await?;
    diesel::delete(counters::table.filter(counters::account_id.eq(account)))
        .execute(conn)
        .await?;
    diesel::delete(settings::table.find(account))
        .execute(conn)
        .await?;
    diesel::delete(contacts::table.find(account))
        .execute(conn)
        .await?;
    diesel::delete(subscriptions::table.filter(subscriptions::account_id.eq(account)))
        .execute(conn)
        .await?;
    diesel::delete(room_seats::table.filter(room_seats::account_id.eq(account)))
        .execute(conn)
        .await?;
    Ok(())
}

/// Hides notifications that have expired; they leave the counters with that. Answers how many.
pub async fn expire(conn: &mut Conn, now: DateTime<Utc>, most: i64) -> QueryResult<usize> {
    sql_query(
        "UPDATE notifications SET expired = true, repeat_at = NULL WHERE id IN (
           SELECT id FROM notifications
           WHERE expires_at <= $1 AND deleted_at IS NULL AND NOT expired
           ORDER BY expires_at LIMIT $2 FOR UPDATE SKIP LOCKED)",
    )
    .bind::<Timestamptz, _>(now)
    .bind::<BigInt, _>(most)
    .execute(conn)
    .await
}

/// What is past its retention, one statement for each table, in the order in which they refer to each other.
const OLD: [&str; 5] = [
    "DELETE FROM notifications WHERE id IN (SELECT id FROM notifications
       WHERE created_at < $1 ORDER BY created_at LIMIT $2 FOR UPDATE SKIP LOCKED)",
    "DELETE FROM deliveries WHERE id IN (SELECT id FROM deliveries
       WHERE notification_id IS NULL AND created_at < $1 ORDER BY created_at LIMIT $2 FOR UPDATE SKIP LOCKED)",
    "DELETE FROM contents WHERE id IN (SELECT id FROM contents c
       WHERE created_at < $1 AND NOT EXISTS (SELECT FROM notifications n WHERE n.content_id = c.id)
       ORDER BY created_at LIMIT $2 FOR UPDATE SKIP LOCKED)",
    "DELETE FROM jobs WHERE id IN (SELECT id FROM jobs
       WHERE finished_at < $1 ORDER BY finished_at LIMIT $2 FOR UPDATE SKIP LOCKED)",
    "DELETE FROM counters WHERE (account_id, kind, priority) IN (SELECT account_id, kind, priority FROM counters
       WHERE total = 0 AND unread = 0 AND $1 IS NOT NULL LIMIT $2 FOR UPDATE SKIP LOCKED)",
];

/// The number of tables that have a retention.
pub const TABLES: usize = OLD.len();

/// Deletes a batch of what is older than `before` from the table with this number. Answers how many.
pub async fn purge(conn: &mut Conn, table: usize, before: DateTime<Utc>, most: i64) -> QueryResult<usize> {
    let Some(statement) = OLD.get(table) else {
        return Ok(0);
    };
    sql_query(*statement)
        .bind::<Timestamptz, _>(before)
        .bind::<BigInt, _>(most)
        .execute(conn)
        .await
}
