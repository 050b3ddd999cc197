//! Files that wait for their scan. One is claimed by a lease: whoever holds it works outside
//! of any transaction, and if they die, the lease runs out and somebody else does.

use chrono::{DateTime, Utc};
use diesel::result::QueryResult;
use diesel_async::RunQueryDsl as _;
use parlour_db::{Conn, Statement};
use uuid::Uuid;

use super::files::{File, columns};

/// What was found out about a file.
#[derive(Clone, Debug, Default)]
#[expect(missing_docs, reason = "the migration documents the columns")]
pub struct Facts {
    pub width: Option<i32>,
    pub height: Option<i32>,
    pub duration_ms: Option<i64>,
    pub codec: Option<String>,
    pub channels: Option<i32>,
    pub waveform: Option<Vec<u8>>,
}

/// Claims up to `most` files that are due, until `lease`, new files before others, the
/// longest waiting first. Those
/// that somebody else is just taking are passed over.
pub async fn claim(
    conn: &mut Conn,
    now: DateTime<Utc>,
    lease: DateTime<Utc>,
    most: i64,
) -> QueryResult<Vec<File>> {
    Statement::new(concat!(
        "WITH due AS (
           SELECT id FROM files WHERE due_at <= ? ORDER BY (status <> 'pending'), due_at LIMIT ? FOR UPDATE SKIP LOCKED)
         UPDATE files f SET due_at = ?, attempts = f.attempts + 1 FROM due WHERE f.id = due.id RETURNING ",
        columns!()
    ))
    .with(now)
    .with(most)
    .with(lease)
    .load(conn)
    .await
}

/// Puts a claimed file off: it stays as it is, and is taken up again at `due_at`.
pub async fn put_off(conn: &mut Conn, id: Uuid, due_at: DateTime<Utc>) -> QueryResult<()> {
    Statement::new("UPDATE files SET due_at = ? WHERE id = ? AND due_at IS NOT NULL")
        .with(due_at)
        .with(id)
        .execute(conn)
        .await?;
    Ok(())
}

/// Ends a file's wait with `status`, "ready" or "quarantined", and what was found out. Answers
/// whether it still waited.
pub async fn settle(
    conn: &mut Conn,
    id: Uuid,
    status: &'static str,
    facts: &Facts,
    now: DateTime<Utc>,
) -> QueryResult<bool> {
    let settled = Statement::new(
        "UPDATE files SET status = ?, due_at = NULL, updated_at = ?, width = coalesce(?, width),
           height = coalesce(?, height), duration_ms = coalesce(?, duration_ms), codec = coalesce(?, codec),
           channels = coalesce(?, channels), waveform = coalesce(?, waveform)
         WHERE id = ? AND due_at IS NOT NULL",
    )
    .with(status)
    .with(now)
    .with(facts.width)
    .with(facts.height)
    .with(facts.duration_ms)
    .with(facts.codec.as_deref())
    .with(facts.channels)
    .with(facts.waveform.as_deref())
    .with(id)
    .execute(conn)
    .await?;
    Ok(settled == 1)
}
