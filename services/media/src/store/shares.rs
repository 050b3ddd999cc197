//! With whom files are shared.

use chrono::{DateTime, Utc};
use diesel::QueryableByName;
use diesel::result::QueryResult;
use diesel::sql_types::{BigInt, Uuid as SqlUuid};
use diesel_async::RunQueryDsl as _;
use parlour_db::{Conn, Statement};
use uuid::Uuid;

/// The most shares that a file has at the same time.
pub const MOST: i64 = 100;

/// A new share.
#[derive(Debug)]
#[expect(missing_docs, reason = "the migration documents the columns")]
pub struct NewShare<'s> {
    pub id: Uuid,
    pub file_id: Uuid,
    pub owner_id: Uuid,
    pub account_ids: &'s [Uuid],
    pub order_id: Option<Uuid>,
    pub token_hash: Option<&'s [u8]>,
    pub expires_at: Option<DateTime<Utc>>,
    pub uses_left: Option<i32>,
    pub now: DateTime<Utc>,
}

#[derive(QueryableByName)]
struct Count {
    #[diesel(sql_type = BigInt)]
    count: i64,
}

#[derive(QueryableByName)]
struct FileId {
    #[diesel(sql_type = SqlUuid)]
    file_id: Uuid,
}

/// How many shares a file has that are not over.
pub async fn count(conn: &mut Conn, file: Uuid, now: DateTime<Utc>) -> QueryResult<i64> {
    let count: Count = Statement::new(
        "SELECT count(*) AS count FROM shares WHERE file_id = ? AND (expires_at IS NULL OR expires_at > ?)",
    )
    .with(file)
    .with(now)
    .get_result(conn)
    .await?;
    Ok(count.count)
}

/// Adds a share. One of the same order stays as it is.
pub async fn insert(conn: &mut Conn, share: &NewShare<'_>) -> QueryResult<()> {
    Statement::new(
        "INSERT INTO shares
           (id, file_id, owner_id, account_ids, order_id, token_hash, expires_at, uses_left, created_at)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (file_id, order_id) DO NOTHING",
    )
    .with(share.id)
    .with(share.file_id)
    .with(share.owner_id)
    .with(share.account_ids)
    .with(share.order_id)
    .with(share.token_hash)
    .with(share.expires_at)
    .with(share.uses_left)
    .with(share.now)
    .execute(conn)
    .await?;
    Ok(())
}

/// Ends a share that the owner made. Answers whether there was one.
pub async fn delete(conn: &mut Conn, id: Uuid, file: Uuid, owner: Uuid) -> QueryResult<bool> {
    let deleted = Statement::new(
        "DELETE FROM shares WHERE id = ? AND file_id = ? AND owner_id = ? AND order_id IS NULL",
    )
    .with(id)
    .with(file)
    .with(owner)
    .execute(conn)
    .await?;
    Ok(deleted == 1)
}

/// The file that a link opens, which is used once more by that; `count` says whether to count.
/// Of several who use its last time one gets it.
pub async fn open(conn: &mut Conn, token_hash: &[u8], count: bool, now: DateTime<Utc>) -> QueryResult<Uuid> {
    let row: FileId = Statement::new(
        "UPDATE shares s SET uses_left = CASE WHEN ? THEN s.uses_left - 1 ELSE s.uses_left END
         FROM files f WHERE f.id = s.file_id AND f.status = 'ready' AND f.deleted_at IS NULL
           AND s.token_hash = ? AND s.expires_at > ? AND (s.uses_left IS NULL OR s.uses_left > 0)
         RETURNING s.file_id",
    )
    .with(count)
    .with(Some(token_hash))
    .with(now)
    .get_result(conn)
    .await?;
    Ok(row.file_id)
}

/// Removes up to `most` shares that are over.
pub async fn delete_expired(conn: &mut Conn, now: DateTime<Utc>, most: i64) -> QueryResult<usize> {
    Statement::new(
        "DELETE FROM shares WHERE id IN (
           SELECT id FROM shares WHERE expires_at < ? LIMIT ? FOR UPDATE SKIP LOCKED)",
    )
    .with(now)
    .with(most)
    .execute(conn)
    .await
}

/// Nobody shares anything with a person any more.
pub async fn forget_person(conn: &mut Conn, person: Uuid) -> QueryResult<()> {
    Statement::new(
        "WITH theirs AS (
           DELETE FROM shares WHERE account_ids = ARRAY[?::uuid] AND token_hash IS NULL)
         UPDATE shares SET account_ids = array_remove(account_ids, ?::uuid)
         WHERE account_ids @> ARRAY[?::uuid] AND (cardinality(account_ids) > 1 OR token_hash IS NOT NULL)",
    )
    .with(person)
    .with(person)
    .with(person)
    .execute(conn)
    .await?;
    Ok(())
}
