//! What others see of pictures.

use diesel::QueryableByName;
use diesel::result::QueryResult;
use diesel::sql_types::{BigInt, Integer, Text, Uuid as SqlUuid};
use diesel_async::RunQueryDsl as _;
use parlour_db::{Conn, Statement};
use uuid::Uuid;

/// The rendition that is the whole picture.
pub const VIEW: &str = "view";

/// A picture made of a file.
#[derive(Clone, Debug, QueryableByName)]
#[expect(missing_docs, reason = "the migration documents the columns")]
pub struct Rendition {
    #[diesel(sql_type = SqlUuid)]
    pub id: Uuid,
    #[diesel(sql_type = SqlUuid)]
    pub file_id: Uuid,
    #[diesel(sql_type = Text)]
    pub name: String,
    #[diesel(sql_type = SqlUuid)]
    pub blob_id: Uuid,
    #[diesel(sql_type = Text)]
    pub mime_type: String,
    #[diesel(sql_type = BigInt)]
    pub size: i64,
    #[diesel(sql_type = Integer)]
    pub width: i32,
    #[diesel(sql_type = Integer)]
    pub height: i32,
}

/// All renditions of `files`, those of one file by name.
pub async fn of_files(conn: &mut Conn, files: &[Uuid]) -> QueryResult<Vec<Rendition>> {
    if files.is_empty() {
        return Ok(Vec::new());
    }
    Statement::new(
        "SELECT id, file_id, name, blob_id, mime_type, size, width, height
         FROM renditions WHERE file_id = ANY (?) ORDER BY file_id, name",
    )
    .with(files)
    .load(conn)
    .await
}

/// Adds one, whose blob the caller has taken into use. One of the same name stays as it is:
/// `false`, and the caller's blob is to be released.
pub async fn add(conn: &mut Conn, rendition: &Rendition) -> QueryResult<bool> {
    let added = Statement::new(
        "INSERT INTO renditions (id, file_id, name, blob_id, mime_type, size, width, height)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (file_id, name) DO NOTHING",
    )
    .with(rendition.id)
    .with(rendition.file_id)
    .with(rendition.name.as_str())
    .with(rendition.blob_id)
    .with(rendition.mime_type.as_str())
    .with(rendition.size)
    .with(rendition.width)
    .with(rendition.height)
    .execute(conn)
    .await?;
    Ok(added == 1)
}

/// Takes the blobs of a file's renditions out of use.
pub async fn release(conn: &mut Conn, file: Uuid) -> QueryResult<()> {
    Statement::new(
        "UPDATE blobs b SET refs = b.refs - r.count
         FROM (SELECT blob_id, count(*) AS count FROM renditions WHERE file_id = ? GROUP BY blob_id) AS r
         WHERE b.id = r.blob_id",
    )
    .with(file)
    .execute(conn)
    .await?;
    Ok(())
}
