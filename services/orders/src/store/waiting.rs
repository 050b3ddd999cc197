//! Orders that wait for something: what the platform does by itself begins here.

use chrono::{DateTime, Utc};
use diesel::result::QueryResult;
use diesel_async::RunQueryDsl as _;
use parlour_db::Conn;
use uuid::Uuid;

use super::orders::{Order, columns, joined};
use super::statement::Statement;

/// Up to `limit` pending orders that nobody works on at this moment and that do not
/// wait for a payment, locked, the longest waiting first.
pub async fn lock_pending(conn: &mut Conn, limit: i64, after: Option<Uuid>) -> QueryResult<Vec<Order>> {
    let statement = Statement::new(concat!(
        "WITH o AS MATERIALIZED (
           SELECT * FROM orders
           WHERE status = 'pending' AND (NOT requires_payment OR payment_status IN ('authorised', 'paid'))
             AND id > coalesce(?, '00000000-0000-0000-0000-000000000000')
           ORDER BY id LIMIT ? FOR UPDATE SKIP LOCKED)
         SELECT ",
        columns!(),
        " FROM",
        joined!(),
        " ORDER BY o.id"
    ));
    statement.with(after).with(limit).load(conn).await
}

/// Up to `limit` orders that have waited for too long at `now`, each of which is told once.
pub async fn take_overdue(conn: &mut Conn, now: DateTime<Utc>, limit: i64) -> QueryResult<Vec<Order>> {
    let statement = Statement::new(concat!(
        "WITH o AS (
           UPDATE orders SET due_at = NULL WHERE id IN (
             SELECT id FROM orders WHERE due_at <= ? ORDER BY due_at LIMIT ? FOR UPDATE SKIP LOCKED)
           RETURNING *)
         SELECT ",
        columns!(),
        " FROM",
        joined!(),
        " ORDER BY o.waits_since, o.id"
    ));
    statement.with(now).with(limit).load(conn).await
}

/// The open orders of a client, locked.
pub async fn lock_open_of(conn: &mut Conn, client: Uuid) -> QueryResult<Vec<Order>> {
    let statement = Statement::new(concat!(
        "WITH o AS MATERIALIZED (
           SELECT * FROM orders WHERE client_id = ? AND status IN ('pending', 'assigned', 'submitted')
           ORDER BY id FOR UPDATE)
         SELECT ",
        columns!(),
        " FROM",
        joined!(),
        " ORDER BY o.id"
    ));
    statement.with(client).load(conn).await
}
