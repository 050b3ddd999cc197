//! Sign-ins.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use parlour_db::Conn;
use uuid::Uuid;

use crate::schema::sessions;

/// A row.
#[derive(Clone, Debug, Queryable, Selectable, Insertable)]
#[diesel(table_name = sessions)]
#[expect(missing_docs, reason = "the migration documents the columns")]
pub struct Session {
    pub id: Uuid,
    pub account_id: Uuid,
    pub cookie_hash: Option<Vec<u8>>,
    pub device: String,
    pub address_sealed: Vec<u8>,
    pub created_at: DateTime<Utc>,
    pub last_seen_at: DateTime<Utc>,
    pub expires_at: DateTime<Utc>,
}

impl Session {
    /// Where its sealed address belongs.
    pub fn address_place(id: Uuid) -> String {
        format!("sessions.address:{id}")
    }
}

/// Inserts a new session.
pub async fn insert(conn: &mut Conn, session: &Session) -> QueryResult<()> {
    diesel::insert_into(sessions::table)
        .values(session)
        .execute(conn)
        .await?;
    Ok(())
}

/// The live sessions of an account, the newest first; the most recent hundred.
pub async fn live(conn: &mut Conn, account: Uuid, now: DateTime<Utc>) -> QueryResult<Vec<Session>> {
    sessions::table
        .filter(sessions::account_id.eq(account))
        .filter(sessions::ended_at.is_null())
        .filter(sessions::expires_at.gt(now))
        .order((sessions::created_at.desc(), sessions::id.desc()))
        .limit(100)
        .select(Session::as_select())
        .load(conn)
        .await
}

/// A live session by id.
pub async fn find_live(conn: &mut Conn, id: Uuid, now: DateTime<Utc>) -> QueryResult<Option<Session>> {
    sessions::table
        .find(id)
        .filter(sessions::ended_at.is_null())
        .filter(sessions::expires_at.gt(now))
        .select(Session::as_select())
        .first(conn)
        .await
        .optional()
}

/// A live cookie session by its cookie's hash.
pub async fn by_cookie(conn: &mut Conn, hash: &[u8], now: DateTime<Utc>) -> QueryResult<Option<Session>> {
    sessions::table
        .filter(sessions::cookie_hash.eq(hash))
        .filter(sessions::ended_at.is_null())
        .filter(sessions::expires_at.gt(now))
        .select(Session::as_select())
        .first(conn)
        .await
        .optional()
}

/// Ends one session of an account. False when it had ended or is not theirs.
pub async fn end(
    conn: &mut Conn,
    account: Uuid,
    id: Uuid,
    reason: &str,
    now: DateTime<Utc>,
) -> QueryResult<bool> {
    let ended = diesel::update(sessions::table.find(id))
        .filter(sessions::account_id.eq(account))
        .filter(sessions::ended_at.is_null())
        .set((sessions::ended_at.eq(now), sessions::ended_reason.eq(reason)))
        .execute(conn)
        .await?;
    Ok(ended == 1)
}

/// Ends every session of an account but `except`.
pub async fn end_all(
    conn: &mut Conn,
    account: Uuid,
    except: Option<Uuid>,
    reason: &str,
    now: DateTime<Utc>,
) -> QueryResult<usize> {
    diesel::update(sessions::table)
        .filter(sessions::account_id.eq(account))
        .filter(sessions::id.ne(except.unwrap_or_default()))
        .filter(sessions::ended_at.is_null())
        .set((sessions::ended_at.eq(now), sessions::ended_reason.eq(reason)))
        .execute(conn)
        .await
}

/// Notes that a session is used `now` and how long it lasts.
pub async fn touch(
    conn: &mut Conn,
    id: Uuid,
    now: DateTime<Utc>,
    expires_at: DateTime<Utc>,
) -> QueryResult<()> {
    diesel::update(sessions::table.find(id))
        .set((
            sessions::last_seen_at.eq(now),
            sessions::expires_at.eq(expires_at),
        ))
        .execute(conn)
        .await?;
    Ok(())
}

/// Sessions that ended after `since`: whose tokens may still be alive.
pub async fn ended_since(
    conn: &mut Conn,
    since: DateTime<Utc>,
) -> QueryResult<Vec<(Uuid, Uuid, Option<DateTime<Utc>>)>> {
    sessions::table
        .filter(sessions::ended_at.gt(since))
        .select((sessions::id, sessions::account_id, sessions::ended_at))
        .load(conn)
        .await
}
