//! Uploads that can be resumed. Whoever appends has the upload to themselves by a lease,
//! which they renew; nobody holds a transaction while bytes arrive.

use chrono::{DateTime, Utc};
use diesel::QueryableByName;
use diesel::result::QueryResult;
use diesel::sql_types::{BigInt, Binary, Bool, Integer, Nullable, Timestamptz, Uuid as SqlUuid};
use diesel_async::RunQueryDsl as _;
use parlour_db::{Conn, Statement};
use uuid::Uuid;

/// An upload that is not complete.
#[derive(Clone, Debug, QueryableByName)]
#[expect(missing_docs, reason = "the migration documents the columns")]
pub struct Upload {
    #[diesel(sql_type = SqlUuid)]
    pub id: Uuid,
    #[diesel(sql_type = SqlUuid)]
    pub owner_id: Uuid,
    #[diesel(sql_type = BigInt)]
    pub length: i64,
    #[diesel(sql_type = BigInt)]
    pub received: i64,
    #[diesel(sql_type = Integer)]
    pub parts: i32,
    #[diesel(sql_type = Nullable<Binary>)]
    pub metadata_sealed: Option<Vec<u8>>,
    #[diesel(sql_type = Timestamptz)]
    pub created_at: DateTime<Utc>,
    #[diesel(sql_type = Timestamptz)]
    pub expires_at: DateTime<Utc>,
    /// Whether somebody has it to themselves.
    #[diesel(sql_type = Bool)]
    pub locked: bool,
}

impl Upload {
    /// What the metadata are sealed for.
    pub fn metadata_place(id: Uuid) -> String {
        format!("uploads.metadata:{id}")
    }
}

/// A piece of an upload, an object of its own.
#[derive(Clone, Debug, QueryableByName)]
#[expect(missing_docs, reason = "the migration documents the columns")]
pub struct UploadPart {
    #[diesel(sql_type = BigInt)]
    pub start: i64,
    #[diesel(sql_type = BigInt)]
    pub size: i64,
    #[diesel(sql_type = SqlUuid)]
    pub object_id: Uuid,
    #[diesel(sql_type = Binary)]
    pub key_sealed: Vec<u8>,
}

#[derive(QueryableByName)]
struct Count {
    #[diesel(sql_type = BigInt)]
    count: i64,
}

#[derive(QueryableByName)]
struct Object {
    #[diesel(sql_type = SqlUuid)]
    object_id: Uuid,
}

#[derive(QueryableByName)]
struct Id {
    #[diesel(sql_type = SqlUuid)]
    id: Uuid,
}

/// The columns of [`Upload`]; `?` is the time.
macro_rules! columns {
    () => {
        "u.id, u.owner_id, u.length, u.received, u.parts, u.metadata_sealed, u.created_at, u.expires_at, \
         coalesce(u.locked_until > ?, false) AS locked"
    };
}

/// How many uploads a person has open.
pub async fn count_of(conn: &mut Conn, owner: Uuid) -> QueryResult<i64> {
    let statement = Statement::new("SELECT count(*) AS count FROM uploads WHERE owner_id = ?").with(owner);
    let count: Count = statement.get_result(conn).await?;
    Ok(count.count)
}

/// Begins one.
pub async fn insert(conn: &mut Conn, upload: &Upload) -> QueryResult<()> {
    Statement::new(
        "INSERT INTO uploads (id, owner_id, length, received, metadata_sealed, created_at, expires_at)
         VALUES (?, ?, ?, 0, ?, ?, ?)",
    )
    .with(upload.id)
    .with(upload.owner_id)
    .with(upload.length)
    .with(upload.metadata_sealed.as_deref())
    .with(upload.created_at)
    .with(upload.expires_at)
    .execute(conn)
    .await?;
    Ok(())
}

/// A person's upload that has not expired.
pub async fn find(conn: &mut Conn, id: Uuid, owner: Uuid, now: DateTime<Utc>) -> QueryResult<Upload> {
    Statement::new(concat!(
        "SELECT ",
        columns!(),
        " FROM uploads u WHERE u.id = ? AND u.owner_id = ? AND u.expires_at > ?"
    ))
    .with(now)
    .with(id)
    .with(owner)
    .with(now)
    .get_result(conn)
    .await
}

/// Takes an upload for oneself until `until`, where nobody else has it and it has come to
/// `offset`. Nothing when that is not so.
pub async fn lock(
    conn: &mut Conn,
    id: Uuid,
    offset: i64,
    lock: Uuid,
    now: DateTime<Utc>,
    until: DateTime<Utc>,
) -> QueryResult<bool> {
    let locked = Statement::new(
        "UPDATE uploads SET lock_id = ?, locked_until = ?
         WHERE id = ? AND received = ? AND (locked_until IS NULL OR locked_until <= ?)",
    )
    .with(lock)
    .with(until)
    .with(id)
    .with(offset)
    .with(now)
    .execute(conn)
    .await?;
    Ok(locked == 1)
}

/// Has it for longer, if it is still one's own.
pub async fn renew(conn: &mut Conn, id: Uuid, lock: Uuid, until: DateTime<Utc>) -> QueryResult<bool> {
    let renewed = Statement::new("UPDATE uploads SET locked_until = ? WHERE id = ? AND lock_id = ?")
        .with(until)
        .with(id)
        .with(lock)
        .execute(conn)
        .await?;
    Ok(renewed == 1)
}

/// Lets others have it again.
pub async fn unlock(conn: &mut Conn, id: Uuid, lock: Uuid) -> QueryResult<()> {
    Statement::new("UPDATE uploads SET lock_id = NULL, locked_until = NULL WHERE id = ? AND lock_id = ?")
        .with(id)
        .with(lock)
        .execute(conn)
        .await?;
    Ok(())
}

/// Appends a piece to an upload that is one's own. The lock stays. Nothing when it was lost.
pub async fn append(conn: &mut Conn, id: Uuid, lock: Uuid, part: &UploadPart) -> QueryResult<bool> {
    let appended = Statement::new(
        "WITH u AS (
           UPDATE uploads SET received = received + ?, parts = parts + 1 WHERE id = ? AND lock_id = ? AND received = ? RETURNING id)
         INSERT INTO upload_parts (upload_id, start, size, object_id, key_sealed) SELECT id, ?, ?, ?, ? FROM u",
    )
    .with(part.size)
    .with(id)
    .with(lock)
    .with(part.start)
    .with(part.start)
    .with(part.size)
    .with(part.object_id)
    .with(Some(part.key_sealed.as_slice()))
    .execute(conn)
    .await?;
    Ok(appended == 1)
}

/// The pieces in their order.
pub async fn parts(conn: &mut Conn, id: Uuid) -> QueryResult<Vec<UploadPart>> {
    Statement::new(
        "SELECT start, size, object_id, key_sealed FROM upload_parts WHERE upload_id = ? ORDER BY start",
    )
    .with(id)
    .load(conn)
    .await
}

/// Deletes an upload, whoever has it; its pieces' objects, which can go then. With `lock`
/// only when it is still one's own.
pub async fn delete(conn: &mut Conn, id: Uuid, lock: Option<Uuid>) -> QueryResult<Vec<Uuid>> {
    let rows: Vec<Object> = Statement::new(
        "WITH gone AS (DELETE FROM uploads WHERE id = ? AND (?::uuid IS NULL OR lock_id = ?) RETURNING id)
         SELECT p.object_id FROM upload_parts p JOIN gone ON gone.id = p.upload_id",
    )
    .with(id)
    .with(lock)
    .with(lock)
    .load(conn)
    .await?;
    Ok(rows.into_iter().map(|row| row.object_id).collect())
}

/// Deletes all uploads of a person; the objects, which can go then.
pub async fn delete_all_of(conn: &mut Conn, owner: Uuid) -> QueryResult<Vec<Uuid>> {
    let rows: Vec<Object> = Statement::new(
        "WITH gone AS (DELETE FROM uploads WHERE owner_id = ? RETURNING id)
         SELECT p.object_id FROM upload_parts p JOIN gone ON gone.id = p.upload_id",
    )
    .with(owner)
    .load(conn)
    .await?;
    Ok(rows.into_iter().map(|row| row.object_id).collect())
}

/// Deletes up to `most` uploads that have expired and that nobody has; the objects, which can go then.
pub async fn delete_expired(conn: &mut Conn, now: DateTime<Utc>, most: i64) -> QueryResult<Vec<Uuid>> {
    let rows: Vec<Object> = Statement::new(
        "WITH gone AS (
           DELETE FROM uploads WHERE id IN (
             SELECT id FROM uploads WHERE expires_at <= ? AND (locked_until IS NULL OR locked_until <= ?)
             ORDER BY expires_at LIMIT ? FOR UPDATE SKIP LOCKED)
           RETURNING id)
         SELECT p.object_id FROM upload_parts p JOIN gone ON gone.id = p.upload_id",
    )
    .with(now)
    .with(now)
    .with(most)
    .load(conn)
    .await?;
    Ok(rows.into_iter().map(|row| row.object_id).collect())
}

/// Up to `most` uploads that have arrived whole and that nobody has: whoever had them died
/// before they became files.
pub async fn whole(conn: &mut Conn, now: DateTime<Utc>, most: i64) -> QueryResult<Vec<Uuid>> {
    let rows: Vec<Id> = Statement::new(
        "SELECT id FROM uploads WHERE received = length AND (locked_until IS NULL OR locked_until <= ?)
         AND expires_at > ? ORDER BY created_at LIMIT ?",
    )
    .with(now)
    .with(now)
    .with(most)
    .load(conn)
    .await?;
    Ok(rows.into_iter().map(|row| row.id).collect())
}

/// Any upload: for the service itself.
pub async fn find_any(conn: &mut Conn, id: Uuid, now: DateTime<Utc>) -> QueryResult<Upload> {
    Statement::new(concat!("SELECT ", columns!(), " FROM uploads u WHERE u.id = ?"))
        .with(now)
        .with(id)
        .get_result(conn)
        .await
}
