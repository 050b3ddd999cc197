//! Conversations and who takes part in them.

use chrono::{DateTime, Utc};
use diesel::OptionalExtension as _;
use diesel::result::QueryResult;
use diesel::sql_types::{Bool, Nullable, Text, Untyped, Uuid as SqlUuid};
use diesel_async::RunQueryDsl as _;
use parlour_db::Conn;
use uuid::Uuid;

use super::statement::Statement;
use crate::domain::kinds::{SessionKind, SessionStatus};

/// A new conversation.
#[derive(Debug)]
#[expect(missing_docs, reason = "the migration documents the columns")]
pub struct NewSession<'s> {
    pub id: Uuid,
    pub kind: SessionKind,
    pub booking_id: Option<Uuid>,
    pub encrypted: bool,
    pub metadata_sealed: Option<&'s [u8]>,
    pub now: DateTime<Utc>,
}

/// Opens it, with nobody in it.
pub async fn insert(conn: &mut Conn, new: &NewSession<'_>) -> QueryResult<()> {
    Statement::<Untyped>::of(
        "INSERT INTO sessions (id, kind, status, booking_id, encrypted, metadata_sealed, active_at, created_at)
         SELECT ?, ?, 'active', ?, ?, ?, t.now, t.now FROM (SELECT ?::timestamptz AS now) t",
    )
    .with(new.id)
    .with(new.kind.name())
    .with(new.booking_id)
    .with(new.encrypted)
    .with(new.metadata_sealed)
    .with(new.now)
    .execute(conn)
    .await
    .map(drop)
}

/// Lets somebody in who has read everything up to now if they come to a `group`. Answers
/// whether they were outside.
pub async fn join(
    conn: &mut Conn,
    session: Uuid,
    (user, role): (Uuid, &str),
    now: DateTime<Utc>,
) -> QueryResult<bool> {
    let joined = Statement::<Untyped>::of(
        "INSERT INTO participants AS p (session_id, user_id, role, last_read_seq, joined_at)
         SELECT s.id, ?, ?, CASE s.kind WHEN 'group' THEN s.last_seq ELSE 0 END, ? FROM sessions s WHERE s.id = ?
         ON CONFLICT (session_id, user_id) DO UPDATE
           SET left_at = NULL, joined_at = excluded.joined_at, role = excluded.role
           WHERE p.left_at IS NOT NULL",
    )
    .with(user)
    .with(role)
    .with(now)
    .with(session)
    .execute(conn)
    .await?;
    Ok(joined > 0)
}

/// Takes somebody out. Answers whether they were inside.
pub async fn leave(conn: &mut Conn, session: Uuid, user: Uuid, now: DateTime<Utc>) -> QueryResult<bool> {
    let left = Statement::<Untyped>::of(
        "UPDATE participants SET left_at = ? WHERE session_id = ? AND user_id = ? AND left_at IS NULL",
    )
    .with(now)
    .with(session)
    .with(user)
    .execute(conn)
    .await?;
    Ok(left > 0)
}

/// Those who take part, in the order in which they came.
pub async fn participants(conn: &mut Conn, session: Uuid) -> QueryResult<Vec<Uuid>> {
    let found: Vec<(Uuid,)> = Statement::<(SqlUuid,)>::of(
        "SELECT user_id FROM participants WHERE session_id = ? AND left_at IS NULL ORDER BY joined_at, user_id",
    )
    .with(session)
    .load(conn)
    .await?;
    Ok(found.into_iter().map(|(id,)| id).collect())
}

/// What a conversation is, locked until the transaction ends.
#[derive(Clone, Debug)]
pub struct Locked {
    /// Its id.
    pub id: Uuid,
    /// What it is about.
    pub kind: String,
    /// What can be done with it.
    pub status: String,
    /// The order that it belongs to.
    pub booking_id: Option<Uuid>,
}

/// Locks a conversation.
pub async fn lock(conn: &mut Conn, id: Uuid) -> QueryResult<Option<Locked>> {
    let found: Option<(String, String, Option<Uuid>)> = Statement::<(Text, Text, Nullable<SqlUuid>)>::of(
        "SELECT kind, status, booking_id FROM sessions WHERE id = ? FOR NO KEY UPDATE",
    )
    .with(id)
    .get_result(conn)
    .await
    .optional()?;
    Ok(found.map(|(kind, status, booking_id)| Locked {
        id,
        kind,
        status,
        booking_id,
    }))
}

/// Says what can be done with it.
pub async fn set_status(conn: &mut Conn, id: Uuid, status: SessionStatus) -> QueryResult<()> {
    Statement::<Untyped>::of("UPDATE sessions SET status = ? WHERE id = ?")
        .with(status.name())
        .with(id)
        .execute(conn)
        .await
        .map(drop)
}

/// Says when it ends by itself.
pub async fn set_end(conn: &mut Conn, id: Uuid, at: DateTime<Utc>) -> QueryResult<()> {
    Statement::<Untyped>::of("UPDATE sessions SET ends_at = ? WHERE id = ?")
        .with(at)
        .with(id)
        .execute(conn)
        .await
        .map(drop)
}

/// Some that should have ended, locked; those that somebody else works on are passed over.
pub async fn lock_due(conn: &mut Conn, now: DateTime<Utc>, most: i64) -> QueryResult<Vec<Uuid>> {
    let found: Vec<(Uuid,)> = Statement::<(SqlUuid,)>::of(
        "SELECT id FROM sessions WHERE ends_at <= ? AND status <> 'ended'
         ORDER BY ends_at LIMIT ? FOR NO KEY UPDATE SKIP LOCKED",
    )
    .with(now)
    .with(most)
    .load(conn)
    .await?;
    Ok(found.into_iter().map(|(id,)| id).collect())
}

/// The session of two people, which is `new` unless they had one. Waits for who is about to make it.
pub async fn direct(conn: &mut Conn, one: Uuid, other: Uuid, new: Uuid) -> QueryResult<Uuid> {
    let (id,): (Uuid,) = Statement::<(SqlUuid,)>::of(
        "INSERT INTO direct_pairs AS d (low, high, session_id) VALUES (?, ?, ?)
         ON CONFLICT (low, high) DO UPDATE SET session_id = d.session_id RETURNING session_id",
    )
    .with(one.min(other))
    .with(one.max(other))
    .with(new)
    .get_result(conn)
    .await?;
    Ok(id)
}

/// The pairs among these people who share a group or an order's conversation.
pub async fn sharing(conn: &mut Conn, people: &[Uuid]) -> QueryResult<Vec<(Uuid, Uuid)>> {
    Statement::<(SqlUuid, SqlUuid)>::of(
        "SELECT DISTINCT a.user_id, b.user_id FROM participants a
         JOIN participants b ON b.session_id = a.session_id AND b.user_id > a.user_id
         JOIN sessions s ON s.id = a.session_id
         WHERE a.user_id = ANY (?) AND b.user_id = ANY (?) AND a.left_at IS NULL AND b.left_at IS NULL
           AND s.kind IN ('group', 'booking') AND s.status <> 'ended'",
    )
    .with(people)
    .with(people)
    .load(conn)
    .await
}

/// Whether somebody of a country takes part.
pub async fn in_country(mut conn: &Conn, session: Uuid, country: &str) -> QueryResult<bool> {
    let (found,): (bool,) = Statement::<(Bool,)>::of(
        "SELECT EXISTS (SELECT FROM participants m JOIN people p ON p.id = m.user_id
           WHERE m.session_id = ? AND p.country = ?)",
    )
    .with(session)
    .with(country)
    .get_result(&mut conn)
    .await?;
    Ok(found)
}
