//! Appointments as somebody's agenda, and as the clock comes to them.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use parlour_db::Conn;
use uuid::Uuid;

use super::appointments::{Appointment, columns, joined};
use super::statement::Statement;
use crate::schema::appointments;

/// Whose they are, of those that are ahead or of those that are past, at `now`.
#[derive(Clone, Copy, Debug)]
pub struct Mine {
    /// Client or counsellor.
    pub person: Uuid,
    /// When it is.
    pub now: DateTime<Utc>,
}

/// Appointments that will take place or are taking place, the next first.
pub async fn upcoming(conn: &mut Conn, mine: Mine, limit: i64) -> QueryResult<Vec<Appointment>> {
    Statement::new(concat!(
        "SELECT ", columns!(), " FROM appointments", joined!(),
        " WHERE (a.client_id = ? OR a.counselor_id = ?) AND a.status IN ('pending', 'confirmed') AND a.ends_at > ?
         ORDER BY a.starts_at, a.id LIMIT ?"
    ))
    .with(mine.person)
    .with(mine.person)
    .with(mine.now)
    .with(limit)
    .load(conn)
    .await
}

/// All others, the latest first.
pub async fn past(conn: &mut Conn, mine: Mine, limit: i64, offset: i64) -> QueryResult<Vec<Appointment>> {
    Statement::new(concat!(
        "SELECT ",
        columns!(),
        " FROM appointments",
        joined!(),
        " WHERE (a.client_id = ? OR a.counselor_id = ?)
           AND NOT (a.status IN ('pending', 'confirmed') AND a.ends_at > ?)
         ORDER BY a.starts_at DESC, a.id DESC LIMIT ? OFFSET ?"
    ))
    .with(mine.person)
    .with(mine.person)
    .with(mine.now)
    .with(limit)
    .with(offset)
    .load(conn)
    .await
}

/// How many [`past`] ones there are.
pub async fn count_past(conn: &mut Conn, mine: Mine) -> QueryResult<i64> {
    let own = appointments::client_id
        .eq(mine.person)
        .or(appointments::counselor_id.eq(mine.person));
    let ahead = appointments::status
        .eq_any(["pending", "confirmed"])
        .and(appointments::ends_at.gt(mine.now));
    appointments::table
        .filter(own)
        .filter(diesel::dsl::not(ahead))
        .count()
        .get_result(conn)
        .await
}

/// Up to `limit` confirmed appointments that start within `minutes` of `now` and whose
/// reminder of that distance was neither told nor too late, marked as told.
pub async fn take_due(
    conn: &mut Conn,
    now: DateTime<Utc>,
    minutes: i32,
    limit: i64,
) -> QueryResult<Vec<Appointment>> {
    Statement::new(concat!(
        "WITH a AS (
           UPDATE appointments SET reminded = ? WHERE id IN (
             SELECT id FROM appointments
             WHERE status = 'confirmed' AND starts_at > ? AND starts_at <= ?::timestamptz + make_interval(mins => ?)
               AND (reminded IS NULL OR reminded > ?)
             ORDER BY starts_at LIMIT ? FOR UPDATE SKIP LOCKED)
           RETURNING *)
         SELECT ", columns!(), " FROM", joined!(), " ORDER BY a.starts_at, a.id"
    ))
    .with(minutes)
    .with(now)
    .with(now)
    .with(minutes)
    .with(minutes)
    .with(limit)
    .load(conn)
    .await
}

/// Up to `limit` confirmed appointments that had ended by `ended`, and pending ones that
/// had started by `started`, locked.
pub async fn lock_over(
    conn: &mut Conn,
    ended: DateTime<Utc>,
    started: DateTime<Utc>,
    limit: i64,
) -> QueryResult<Vec<Appointment>> {
    Statement::new(concat!(
        "WITH a AS MATERIALIZED (
           SELECT * FROM appointments
           WHERE status IN ('pending', 'confirmed') AND starts_at <= ?
             AND (status = 'pending' OR ends_at <= ?)
           ORDER BY starts_at LIMIT ? FOR UPDATE SKIP LOCKED)
         SELECT ",
        columns!(),
        " FROM",
        joined!(),
        " ORDER BY a.starts_at, a.id"
    ))
    .with(started)
    .with(ended)
    .with(limit)
    .load(conn)
    .await
}

/// What somebody still had before them at `now`, locked.
pub async fn lock_ahead_of(
    conn: &mut Conn,
    person: Uuid,
    now: DateTime<Utc>,
) -> QueryResult<Vec<Appointment>> {
    Statement::new(concat!(
        "WITH a AS MATERIALIZED (
           SELECT * FROM appointments
           WHERE (client_id = ? OR counselor_id = ?) AND status IN ('pending', 'confirmed') AND starts_at > ?
           ORDER BY id FOR UPDATE)
         SELECT ",
        columns!(),
        " FROM",
        joined!(),
        " ORDER BY a.id"
    ))
    .with(person)
    .with(person)
    .with(now)
    .load(conn)
    .await
}
