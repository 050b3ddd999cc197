//! Messages that wait, and messages that go.

use chrono::{DateTime, Utc};
use diesel::OptionalExtension as _;
use diesel::result::QueryResult;
use diesel::sql_types::{BigInt, Nullable, Untyped, Uuid as SqlUuid};
use diesel_async::RunQueryDsl as _;
use parlour_db::Conn;
use uuid::Uuid;

use super::statement::Statement;

/// A person has looked at it. Answers its conversation, if it is held.
pub async fn reviewed(conn: &mut Conn, id: Uuid) -> QueryResult<Option<Uuid>> {
    session_of(
        conn,
        Statement::of("UPDATE held_messages SET review = false WHERE id = ? RETURNING session_id").with(id),
    )
    .await
}

/// Its file was scanned. Answers its conversation, if it is held.
pub async fn scanned(conn: &mut Conn, id: Uuid) -> QueryResult<Option<Uuid>> {
    session_of(
        conn,
        Statement::of("UPDATE held_messages SET scan = false WHERE id = ? RETURNING session_id").with(id),
    )
    .await
}

async fn session_of(conn: &mut Conn, statement: Statement<'_, (SqlUuid,)>) -> QueryResult<Option<Uuid>> {
    let found: Option<(Uuid,)> = statement.get_result(conn).await.optional()?;
    Ok(found.map(|(id,)| id))
}

/// Gives it its number if nothing is left to wait for.
pub async fn release(
    conn: &mut Conn,
    session: Uuid,
    id: Uuid,
    now: DateTime<Utc>,
) -> QueryResult<Option<i64>> {
    let (seq,): (Option<i64>,) = Statement::<(Nullable<BigInt>,)>::of("SELECT release_message(?, ?, ?)")
        .with(session)
        .with(id)
        .with(now)
        .get_result(conn)
        .await?;
    Ok(seq)
}

/// Throws a held message away. Answers its conversation and its sender, if it was held.
pub async fn discard(conn: &mut Conn, id: Uuid) -> QueryResult<Option<(Uuid, Uuid)>> {
    Statement::<(SqlUuid, SqlUuid)>::of(
        "DELETE FROM held_messages WHERE id = ? RETURNING session_id, sender_id",
    )
    .with(id)
    .get_result(conn)
    .await
    .optional()
}

/// Removes a visible message: its number stays, what was in it goes. Answers its
/// conversation and number, if it was visible.
pub async fn reject(conn: &mut Conn, id: Uuid) -> QueryResult<Option<(Uuid, i64)>> {
    Statement::<(SqlUuid, BigInt)>::of(
        "WITH gone AS (
           UPDATE messages SET state = 'rejected', sealed = NULL, file_id = NULL, file_size = NULL
           WHERE id = ? AND state = 'visible' RETURNING session_id, seq),
         reactions AS (
           DELETE FROM reactions r USING gone WHERE r.session_id = gone.session_id AND r.seq = gone.seq)
         SELECT session_id, seq FROM gone",
    )
    .with(id)
    .get_result(conn)
    .await
    .optional()
}

/// Keeps media's verdict about a file, and its lock. Answers the message that it was sent with.
pub async fn verdict(
    conn: &mut Conn,
    (file, owner): (Uuid, Uuid),
    state: &str,
    now: DateTime<Utc>,
) -> QueryResult<Option<Uuid>> {
    let (message,): (Option<Uuid>,) = Statement::<(Nullable<SqlUuid>,)>::of(
        "INSERT INTO files AS f (id, owner_id, state, seen_at) VALUES (?, ?, ?, ?)
         ON CONFLICT (id) DO UPDATE SET state = excluded.state RETURNING message_id",
    )
    .with(file)
    .with(owner)
    .with(state)
    .with(now)
    .get_result(conn)
    .await?;
    Ok(message)
}

/// The message that a file was sent with.
pub async fn message_of(conn: &mut Conn, file: Uuid) -> QueryResult<Option<Uuid>> {
    let found: Option<(Option<Uuid>,)> =
        Statement::<(Nullable<SqlUuid>,)>::of("SELECT message_id FROM files WHERE id = ? FOR UPDATE")
            .with(file)
            .get_result(conn)
            .await
            .optional()?;
    Ok(found.and_then(|(id,)| id))
}

/// Forgets files that nobody sent. Answers how many.
pub async fn sweep_files(conn: &mut Conn, before: DateTime<Utc>, most: i64) -> QueryResult<usize> {
    Statement::<Untyped>::of(
        "DELETE FROM files WHERE id IN (SELECT id FROM files WHERE message_id IS NULL AND seen_at < ?
           LIMIT ? FOR UPDATE SKIP LOCKED)",
    )
    .with(before)
    .with(most)
    .execute(conn)
    .await
}
