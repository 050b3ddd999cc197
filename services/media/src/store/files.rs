//! Files: rows, who may know of them, and how they are changed.

use chrono::{DateTime, Utc};
use diesel::QueryableByName;
use diesel::result::QueryResult;
use diesel::sql_types::{BigInt, Binary, Integer, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use diesel_async::RunQueryDsl as _;
use parlour_db::{Conn, DbError, Statement};
use uuid::Uuid;

/// A file.
#[derive(Clone, Debug, QueryableByName)]
#[expect(missing_docs, reason = "the migration documents the columns")]
pub struct File {
    #[diesel(sql_type = SqlUuid)]
    pub id: Uuid,
    #[diesel(sql_type = SqlUuid)]
    pub owner_id: Uuid,
    #[diesel(sql_type = SqlUuid)]
    pub blob_id: Uuid,
    #[diesel(sql_type = Text)]
    pub name: String,
    #[diesel(sql_type = Text)]
    pub mime_type: String,
    #[diesel(sql_type = Text)]
    pub kind: String,
    #[diesel(sql_type = BigInt)]
    pub size: i64,
    #[diesel(sql_type = Text)]
    pub purpose: String,
    #[diesel(sql_type = Text)]
    pub folder: String,
    #[diesel(sql_type = Nullable<Binary>)]
    pub description_sealed: Option<Vec<u8>>,
    #[diesel(sql_type = Binary)]
    pub checksum_sealed: Vec<u8>,
    #[diesel(sql_type = Text)]
    pub status: String,
    #[diesel(sql_type = Nullable<SqlUuid>)]
    pub session_id: Option<Uuid>,
    #[diesel(sql_type = Nullable<Text>)]
    pub session_kind: Option<String>,
    #[diesel(sql_type = Nullable<Integer>)]
    pub width: Option<i32>,
    #[diesel(sql_type = Nullable<Integer>)]
    pub height: Option<i32>,
    #[diesel(sql_type = Nullable<BigInt>)]
    pub duration_ms: Option<i64>,
    #[diesel(sql_type = Nullable<Text>)]
    pub codec: Option<String>,
    #[diesel(sql_type = Nullable<Integer>)]
    pub channels: Option<i32>,
    #[diesel(sql_type = Nullable<Binary>)]
    pub waveform: Option<Vec<u8>>,
    #[diesel(sql_type = Nullable<SqlUuid>)]
    pub source_id: Option<Uuid>,
    #[diesel(sql_type = Nullable<Text>)]
    pub recipe: Option<String>,
    #[diesel(sql_type = Timestamptz)]
    pub created_at: DateTime<Utc>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    pub deleted_at: Option<DateTime<Utc>>,
}

/// The columns of [`File`], of `f`.
macro_rules! columns {
    () => {
        "f.id, f.owner_id, f.blob_id, f.name, f.mime_type, f.kind, f.size, f.purpose, f.folder, \
         f.description_sealed, f.checksum_sealed, f.status, f.session_id, f.session_kind, f.width, f.height, \
         f.duration_ms, f.codec, f.channels, f.waveform, f.source_id, f.recipe, f.created_at, f.deleted_at"
    };
}
pub(super) use columns;

impl File {
    /// What the description is sealed for.
    pub fn description_place(id: Uuid) -> String {
        format!("files.description:{id}")
    }

    /// What the checksum is sealed for.
    pub fn checksum_place(id: Uuid) -> String {
        format!("files.checksum:{id}")
    }

    /// Whether others may read it.
    pub fn is_ready(&self) -> bool {
        self.status == "ready" && self.deleted_at.is_none()
    }

    /// Its state as the API tells it.
    pub fn shown_status(&self) -> &str {
        if self.deleted_at.is_some() {
            "deleted"
        } else {
            &self.status
        }
    }
}

/// Writes a new file. Its owner holds the blob already.
pub async fn insert(conn: &mut Conn, file: &File, due_at: Option<DateTime<Utc>>) -> Result<(), DbError> {
    Statement::new(
        "INSERT INTO files (id, owner_id, blob_id, name, mime_type, kind, size, purpose, folder, description_sealed,
           checksum_sealed, status, session_id, session_kind, width, height, duration_ms, codec, channels, waveform,
           source_id, recipe, due_at, created_at, updated_at)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    )
    .with(file.id)
    .with(file.owner_id)
    .with(file.blob_id)
    .with(file.name.as_str())
    .with(file.mime_type.as_str())
    .with(file.kind.as_str())
    .with(file.size)
    .with(file.purpose.as_str())
    .with(file.folder.as_str())
    .with(file.description_sealed.as_deref())
    .with(Some(file.checksum_sealed.as_slice()))
    .with(file.status.as_str())
    .with(file.session_id)
    .with(file.session_kind.as_deref())
    .with(file.width)
    .with(file.height)
    .with(file.duration_ms)
    .with(file.codec.as_deref())
    .with(file.channels)
    .with(file.waveform.as_deref())
    .with(file.source_id)
    .with(file.recipe.as_deref())
    .with(due_at)
    .with(file.created_at)
    .with(file.created_at)
    .execute(conn)
    .await?;
    Ok(())
}

/// A file of `owner`, deleted or not.
pub async fn find_own(conn: &mut Conn, id: Uuid, owner: Uuid) -> QueryResult<File> {
    Statement::new(concat!(
        "SELECT ",
        columns!(),
        " FROM files f WHERE f.id = ? AND f.owner_id = ?"
    ))
    .with(id)
    .with(owner)
    .get_result(conn)
    .await
}

/// A file of `owner`, locked until the end of the transaction.
pub async fn lock_own(conn: &mut Conn, id: Uuid, owner: Uuid) -> QueryResult<File> {
    Statement::new(concat!(
        "SELECT ",
        columns!(),
        " FROM files f WHERE f.id = ? AND f.owner_id = ? FOR UPDATE"
    ))
    .with(id)
    .with(owner)
    .get_result(conn)
    .await
}

/// Any file, locked until the end of the transaction: for the service itself.
pub async fn lock_any(conn: &mut Conn, id: Uuid) -> QueryResult<File> {
    Statement::new(concat!(
        "SELECT ",
        columns!(),
        " FROM files f WHERE f.id = ? FOR UPDATE"
    ))
    .with(id)
    .get_result(conn)
    .await
}

/// Writes name, folder and description as they are in `file`.
pub async fn describe(conn: &mut Conn, file: &File, now: DateTime<Utc>) -> QueryResult<()> {
    Statement::new(
        "UPDATE files SET name = ?, folder = ?, description_sealed = ?, updated_at = ? WHERE id = ? AND owner_id = ?",
    )
    .with(file.name.as_str())
    .with(file.folder.as_str())
    .with(file.description_sealed.as_deref())
    .with(now)
    .with(file.id)
    .with(file.owner_id)
    .execute(conn)
    .await?;
    Ok(())
}

/// Deletes a file for the time being, or brings it back.
pub async fn set_deleted(
    conn: &mut Conn,
    id: Uuid,
    owner: Uuid,
    deleted_at: Option<DateTime<Utc>>,
    now: DateTime<Utc>,
) -> QueryResult<()> {
    Statement::new("UPDATE files SET deleted_at = ?, updated_at = ? WHERE id = ? AND owner_id = ?")
        .with(deleted_at)
        .with(now)
        .with(id)
        .with(owner)
        .execute(conn)
        .await?;
    Ok(())
}

/// Up to `most` files that were deleted before `then`, locked. Those that somebody else has are passed over.
pub async fn lock_expired(conn: &mut Conn, then: DateTime<Utc>, most: i64) -> QueryResult<Vec<File>> {
    Statement::new(concat!(
        "SELECT ",
        columns!(),
        " FROM files f WHERE f.deleted_at < ? ORDER BY f.deleted_at LIMIT ? FOR UPDATE SKIP LOCKED"
    ))
    .with(then)
    .with(most)
    .load(conn)
    .await
}

/// Up to `most` files of `owner`, locked.
pub async fn lock_all_of(conn: &mut Conn, owner: Uuid, most: i64) -> QueryResult<Vec<File>> {
    Statement::new(concat!(
        "SELECT ",
        columns!(),
        " FROM files f WHERE f.owner_id = ? ORDER BY f.id LIMIT ? FOR UPDATE"
    ))
    .with(owner)
    .with(most)
    .load(conn)
    .await
}

/// Deletes the row, and those of its renditions and shares. Their blobs are released before.
pub async fn delete(conn: &mut Conn, id: Uuid) -> QueryResult<()> {
    Statement::new(
        "WITH sent AS (DELETE FROM session_files WHERE file_id = ?),
         result AS (DELETE FROM result_files WHERE file_id = ?)
         DELETE FROM files WHERE id = ?",
    )
    .with(id)
    .with(id)
    .with(id)
    .execute(conn)
    .await?;
    Ok(())
}
