//! Who may read a file, and which bytes they are given.

use chrono::{DateTime, Utc};
use diesel::QueryableByName;
use diesel::result::QueryResult;
use diesel::sql_types::{BigInt, Binary, Bool, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use diesel_async::RunQueryDsl as _;
use parlour_db::{Conn, Statement};
use uuid::Uuid;

use super::files::{File, columns};
use crate::viewer::Viewer;

/// Bytes that may be given out.
#[derive(Clone, Debug, QueryableByName)]
#[expect(missing_docs, reason = "the names say it")]
pub struct Opened {
    #[diesel(sql_type = SqlUuid)]
    pub file_id: Uuid,
    /// Of the file, or of the rendition that stands in its place.
    #[diesel(sql_type = SqlUuid)]
    pub shown_id: Uuid,
    #[diesel(sql_type = Text)]
    pub name: String,
    #[diesel(sql_type = Text)]
    pub kind: String,
    #[diesel(sql_type = Text)]
    pub mime_type: String,
    #[diesel(sql_type = Text)]
    pub status: String,
    #[diesel(sql_type = SqlUuid)]
    pub blob_id: Uuid,
    #[diesel(sql_type = BigInt)]
    pub size: i64,
    #[diesel(sql_type = Binary)]
    pub key_sealed: Vec<u8>,
    #[diesel(sql_type = Timestamptz)]
    pub created_at: DateTime<Utc>,
}

/// Whether the caller, `?` twice and whether they review, may read `f` though it is not theirs.
macro_rules! shared {
    () => {
        "f.status = 'ready' AND f.deleted_at IS NULL AND (
           EXISTS (SELECT FROM shares s WHERE s.file_id = f.id AND ? = ANY (s.account_ids)
             AND (s.expires_at IS NULL OR s.expires_at > ?))
           OR EXISTS (SELECT FROM session_files s JOIN session_members m ON m.session_id = s.session_id
             WHERE s.file_id = f.id AND m.account_id = ?)
           OR (? AND EXISTS (SELECT FROM result_files r WHERE r.file_id = f.id)))"
    };
}

/// What stands in the place of a file's bytes: others see a picture that was made anew.
macro_rules! opened {
    () => {
        "SELECT f.id AS file_id, coalesce(v.id, f.id) AS shown_id, f.name, f.kind,
           coalesce(v.mime_type, f.mime_type) AS mime_type, f.status, b.id AS blob_id, b.size, b.key_sealed,
           f.created_at
         FROM files f
         LEFT JOIN renditions v ON v.file_id = f.id AND v.name = 'view' AND f.kind = 'image'
           AND f.owner_id IS DISTINCT FROM ?
         JOIN blobs b ON b.id = coalesce(v.blob_id, f.blob_id)"
    };
}

fn with_viewer(statement: Statement<'_>, viewer: Viewer, now: DateTime<Utc>) -> Statement<'_> {
    statement
        .with(viewer.id)
        .with(now)
        .with(viewer.id)
        .with(viewer.reviews)
}

/// Reads a file that is not deleted, for somebody who may read it.
pub async fn open(mut conn: &Conn, id: Uuid, viewer: Viewer, now: DateTime<Utc>) -> QueryResult<Opened> {
    let statement = Statement::new(concat!(
        opened!(),
        " WHERE f.id = ? AND f.deleted_at IS NULL AND (f.owner_id = ? OR (f.kind <> 'image' OR v.id IS NOT NULL) AND ",
        shared!(),
        ")"
    ));
    let statement = statement.with(viewer.id).with(id).with(viewer.id);
    with_viewer(statement, viewer, now).get_result(&mut conn).await
}

/// Reads a file, or a rendition of one, by its id alone: for a link that was checked.
pub async fn open_linked(mut conn: &Conn, id: Uuid) -> QueryResult<Opened> {
    Statement::new(concat!(
        opened!(),
        " WHERE f.id = ? AND f.status = 'ready' AND f.deleted_at IS NULL AND (f.kind <> 'image' OR v.id IS NOT NULL)
          UNION ALL
          SELECT f.id, v.id, f.name, f.kind, v.mime_type, f.status, b.id, b.size, b.key_sealed, f.created_at
          FROM renditions v JOIN files f ON f.id = v.file_id JOIN blobs b ON b.id = v.blob_id
          WHERE v.id = ? AND f.status = 'ready' AND f.deleted_at IS NULL"
    ))
    .with(None::<Uuid>)
    .with(id)
    .with(id)
    .get_result(&mut conn)
    .await
}

/// A file that the caller may know of: their own, whatever its state, or one that they may read.
pub async fn find(conn: &mut Conn, id: Uuid, viewer: Viewer, now: DateTime<Utc>) -> QueryResult<File> {
    let statement = Statement::new(concat!(
        "SELECT ",
        columns!(),
        " FROM files f WHERE f.id = ? AND (f.owner_id = ? OR ",
        shared!(),
        ")"
    ));
    let statement = statement.with(id).with(viewer.id);
    with_viewer(statement, viewer, now).get_result(conn).await
}

#[derive(QueryableByName)]
struct SessionRow {
    #[diesel(sql_type = Nullable<Text>)]
    status: Option<String>,
    #[diesel(sql_type = Bool)]
    member: bool,
}

/// A conversation's status, if there is one, and whether somebody may read it.
pub async fn session(conn: &mut Conn, id: Uuid, person: Uuid) -> QueryResult<(Option<String>, bool)> {
    let row: SessionRow = Statement::new(
        "SELECT (SELECT status FROM sessions WHERE id = ?) AS status,
           EXISTS (SELECT FROM session_members WHERE session_id = ? AND account_id = ?) AS member",
    )
    .with(id)
    .with(id)
    .with(person)
    .get_result(conn)
    .await?;
    Ok((row.status, row.member))
}
