//! What is in the store of objects, once for each content.

use chrono::{DateTime, Utc};
use diesel::QueryableByName;
use diesel::result::QueryResult;
use diesel::sql_types::{BigInt, Binary, Uuid as SqlUuid};
use diesel_async::RunQueryDsl as _;
use parlour_db::{Conn, Statement};
use uuid::Uuid;

/// Content that is in the store, under an object that no row knows yet.
#[derive(Debug)]
pub struct Content<'c> {
    /// The object.
    pub object: Uuid,
    /// A keyed index of the content.
    pub fingerprint: &'c [u8],
    /// Its size.
    pub size: i64,
    /// The object's key, sealed for [`key_place`].
    pub key_sealed: &'c [u8],
}

/// Where the bytes of something are.
#[derive(Clone, Debug, QueryableByName)]
#[expect(missing_docs, reason = "the migration documents the columns")]
pub struct Blob {
    #[diesel(sql_type = SqlUuid)]
    pub id: Uuid,
    #[diesel(sql_type = BigInt)]
    pub size: i64,
    #[diesel(sql_type = Binary)]
    pub key_sealed: Vec<u8>,
}

#[derive(QueryableByName)]
struct Id {
    #[diesel(sql_type = SqlUuid)]
    id: Uuid,
}

/// What an object's key is sealed for.
pub fn key_place(object: Uuid) -> String {
    format!("objects.key:{object}")
}

/// Takes content into use once more; the blob that has it. That is the content's own object
/// when nobody had such content before, and else the one that is there.
pub async fn add(conn: &mut Conn, content: &Content<'_>, now: DateTime<Utc>) -> QueryResult<Uuid> {
    let row: Id = Statement::new(
        "INSERT INTO blobs AS b (id, fingerprint, size, key_sealed, refs, created_at) VALUES (?, ?, ?, ?, 1, ?)
         ON CONFLICT (fingerprint) DO UPDATE SET refs = b.refs + 1 RETURNING id",
    )
    .with(content.object)
    .with(Some(content.fingerprint))
    .with(content.size)
    .with(Some(content.key_sealed))
    .with(now)
    .get_result(conn)
    .await?;
    Ok(row.id)
}

/// Takes a blob into use once more.
pub async fn reuse(conn: &mut Conn, id: Uuid) -> QueryResult<()> {
    let statement = Statement::new("UPDATE blobs SET refs = refs + 1 WHERE id = ?").with(id);
    statement.execute(conn).await?;
    Ok(())
}

/// Takes a blob out of use once. A job removes those that nobody uses.
pub async fn release(conn: &mut Conn, id: Uuid) -> QueryResult<()> {
    let statement = Statement::new("UPDATE blobs SET refs = refs - 1 WHERE id = ?").with(id);
    statement.execute(conn).await?;
    Ok(())
}

/// The blob.
pub async fn find(conn: &mut Conn, id: Uuid) -> QueryResult<Blob> {
    Statement::new("SELECT id, size, key_sealed FROM blobs WHERE id = ?")
        .with(id)
        .get_result(conn)
        .await
}

/// Forgets up to `most` blobs that nobody uses; their objects can go once that is committed.
pub async fn forget_unused(conn: &mut Conn, most: i64) -> QueryResult<Vec<Uuid>> {
    let rows: Vec<Id> = Statement::new(
        "DELETE FROM blobs WHERE id IN (
           SELECT id FROM blobs WHERE refs = 0 ORDER BY id LIMIT ? FOR UPDATE SKIP LOCKED)
         RETURNING id",
    )
    .with(most)
    .load(conn)
    .await?;
    Ok(rows.into_iter().map(|row| row.id).collect())
}

/// Of `ids`, the objects that a row knows.
pub async fn known(conn: &mut Conn, ids: &[Uuid]) -> QueryResult<Vec<Uuid>> {
    let rows: Vec<Id> = Statement::new(
        "SELECT id FROM blobs WHERE id = ANY (?)
         UNION ALL SELECT object_id FROM upload_parts WHERE object_id = ANY (?)",
    )
    .with(ids)
    .with(ids)
    .load(conn)
    .await?;
    Ok(rows.into_iter().map(|row| row.id).collect())
}
