//! Chat's conversations: who may read them, and which files were sent in them.

use chrono::{DateTime, Utc};
use diesel::result::QueryResult;
use diesel_async::RunQueryDsl as _;
use parlour_db::{Conn, Statement};
use uuid::Uuid;

/// What a conversation is now, as a whole.
pub async fn set(conn: &mut Conn, id: Uuid, status: &str, members: &[Uuid]) -> QueryResult<()> {
    Statement::new(
        "INSERT INTO sessions (id, status) VALUES (?, ?) ON CONFLICT (id) DO UPDATE SET status = excluded.status",
    )
    .with(id)
    .with(status)
    .execute(conn)
    .await?;
    Statement::new(
        "WITH gone AS (DELETE FROM session_members WHERE session_id = ? AND account_id <> ALL (?))
         INSERT INTO session_members (session_id, account_id) SELECT ?, unnest(?) ON CONFLICT DO NOTHING",
    )
    .with(id)
    .with(members)
    .with(id)
    .with(members)
    .execute(conn)
    .await?;
    Ok(())
}

/// Somebody joined.
pub async fn join(conn: &mut Conn, id: Uuid, person: Uuid) -> QueryResult<()> {
    Statement::new(
        "WITH known AS (INSERT INTO sessions (id, status) VALUES (?, 'active') ON CONFLICT (id) DO NOTHING)
         SELECT 1",
    )
    .with(id)
    .execute(conn)
    .await?;
    Statement::new(
        "INSERT INTO session_members (session_id, account_id) VALUES (?, ?) ON CONFLICT DO NOTHING",
    )
    .with(id)
    .with(person)
    .execute(conn)
    .await?;
    Ok(())
}

/// Somebody left.
pub async fn leave(conn: &mut Conn, id: Uuid, person: Uuid) -> QueryResult<()> {
    Statement::new("DELETE FROM session_members WHERE session_id = ? AND account_id = ?")
        .with(id)
        .with(person)
        .execute(conn)
        .await?;
    Ok(())
}

/// A person takes part in nothing any more.
pub async fn forget_person(conn: &mut Conn, person: Uuid) -> QueryResult<()> {
    Statement::new("DELETE FROM session_members WHERE account_id = ?")
        .with(person)
        .execute(conn)
        .await?;
    Ok(())
}

/// A file was uploaded for a conversation.
pub async fn add_file(conn: &mut Conn, session: Uuid, file: Uuid, now: DateTime<Utc>) -> QueryResult<()> {
    Statement::new(
        "INSERT INTO session_files (session_id, file_id, sent_at) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
    )
    .with(session)
    .with(file)
    .with(now)
    .execute(conn)
    .await?;
    Ok(())
}

/// A file was sent in a conversation by its owner.
pub async fn sent(
    conn: &mut Conn,
    session: Uuid,
    file: Uuid,
    owner: Uuid,
    at: DateTime<Utc>,
) -> QueryResult<()> {
    Statement::new(
        "WITH own AS (
           UPDATE files SET session_id = coalesce(session_id, ?) WHERE id = ? AND owner_id = ? RETURNING id)
         INSERT INTO session_files (session_id, file_id, sent_at) SELECT ?, id, ? FROM own ON CONFLICT DO NOTHING",
    )
    .with(session)
    .with(file)
    .with(owner)
    .with(session)
    .with(at)
    .execute(conn)
    .await?;
    Ok(())
}
