//! What scanners said, scans that were asked for, and who is in quarantine.

use chrono::{DateTime, Utc};
use diesel::QueryableByName;
use diesel::result::QueryResult;
use diesel::sql_types::{Array, BigInt, Bool, Text, Timestamptz, Uuid as SqlUuid};
use diesel_async::RunQueryDsl as _;
use parlour_db::{Conn, Statement};
use uuid::Uuid;

use super::files::{File, columns};

/// What a scanner said of a file.
#[derive(Clone, Debug, QueryableByName)]
#[expect(missing_docs, reason = "the migration documents the columns")]
pub struct ScanResult {
    #[diesel(sql_type = SqlUuid)]
    pub id: Uuid,
    #[diesel(sql_type = SqlUuid)]
    pub file_id: Uuid,
    #[diesel(sql_type = Text)]
    pub scanner: String,
    #[diesel(sql_type = Text)]
    pub verdict: String,
    #[diesel(sql_type = Array<Text>)]
    pub signatures: Vec<String>,
    #[diesel(sql_type = Timestamptz)]
    pub scanned_at: DateTime<Utc>,
}

/// Where the scan of a file stands.
#[derive(Clone, Copy, Debug, QueryableByName)]
pub struct Standing {
    /// Whether one is due.
    #[diesel(sql_type = Bool)]
    pub due: bool,
    /// Whether it was let out of quarantine by somebody.
    #[diesel(sql_type = Bool)]
    pub released: bool,
}

/// A file, of `owner` or of anybody.
pub async fn file(conn: &mut Conn, id: Uuid, owner: Option<Uuid>) -> QueryResult<File> {
    Statement::new(concat!(
        "SELECT ",
        columns!(),
        " FROM files f WHERE f.id = ? AND (?::uuid IS NULL OR f.owner_id = ?)"
    ))
    .with(id)
    .with(owner)
    .with(owner)
    .get_result(conn)
    .await
}

/// Files in quarantine, the latest first, from `cursor` or `offset`; `most` of them.
pub async fn quarantined(
    conn: &mut Conn,
    cursor: Option<(DateTime<Utc>, Uuid)>,
    most: i64,
    offset: i64,
) -> QueryResult<Vec<File>> {
    let (at, id) = cursor.unzip();
    Statement::new(concat!(
        "SELECT ",
        columns!(),
        " FROM files f WHERE f.status = 'quarantined'
           AND (?::timestamptz IS NULL OR (f.created_at, f.id) < (?, ?))
         ORDER BY f.created_at DESC, f.id DESC LIMIT ? OFFSET ?"
    ))
    .with(at)
    .with(at)
    .with(id)
    .with(most)
    .with(if at.is_some() { 0 } else { offset })
    .load(conn)
    .await
}

/// How many files are in quarantine.
pub async fn count_quarantined(conn: &mut Conn) -> QueryResult<i64> {
    let row: Count = Statement::new("SELECT count(*) FROM files WHERE status = 'quarantined'")
        .get_result(conn)
        .await?;
    Ok(row.count)
}

/// Writes down what a scanner said.
pub async fn add(conn: &mut Conn, result: &ScanResult) -> QueryResult<()> {
    // Names of signatures have no line breaks.
    let signatures = result.signatures.join("\n");
    Statement::new(
        "INSERT INTO scan_results (id, file_id, scanner, verdict, signatures, scanned_at)
         VALUES (?, ?, ?, ?, string_to_array(?, E'\\n'), ?)",
    )
    .with(result.id)
    .with(result.file_id)
    .with(result.scanner.as_str())
    .with(result.verdict.as_str())
    .with(signatures.as_str())
    .with(result.scanned_at)
    .execute(conn)
    .await?;
    Ok(())
}

/// The latest `most` results of a file, the newest first.
pub async fn of_file(conn: &mut Conn, file: Uuid, most: i64) -> QueryResult<Vec<ScanResult>> {
    Statement::new(
        "SELECT id, file_id, scanner, verdict, signatures, scanned_at FROM scan_results
         WHERE file_id = ? ORDER BY id DESC LIMIT ?",
    )
    .with(file)
    .with(most)
    .load(conn)
    .await
}

/// Of each file, the latest result that found something.
pub async fn findings(conn: &mut Conn, files: &[Uuid]) -> QueryResult<Vec<ScanResult>> {
    Statement::new(
        "SELECT DISTINCT ON (file_id) id, file_id, scanner, verdict, signatures, scanned_at FROM scan_results
         WHERE file_id = ANY (?) AND verdict IN ('infected', 'too_large') ORDER BY file_id, id DESC",
    )
    .with(files)
    .load(conn)
    .await
}

/// Where the scan of a file stands.
pub async fn standing(conn: &mut Conn, file: Uuid) -> QueryResult<Standing> {
    Statement::new("SELECT due_at IS NOT NULL AS due, released FROM files WHERE id = ?")
        .with(file)
        .get_result(conn)
        .await
}

/// Has a file scanned as soon as possible.
pub async fn request(conn: &mut Conn, file: Uuid, now: DateTime<Utc>) -> QueryResult<()> {
    Statement::new("UPDATE files SET due_at = least(due_at, ?) WHERE id = ?")
        .with(now)
        .with(file)
        .execute(conn)
        .await?;
    Ok(())
}

/// A file that did not change by its scan waits for none any more.
pub async fn rest(conn: &mut Conn, file: Uuid) -> QueryResult<()> {
    let statement = Statement::new("UPDATE files SET due_at = NULL WHERE id = ?").with(file);
    statement.execute(conn).await?;
    Ok(())
}

/// Lets a file out of quarantine: it waits to be made ready, whatever scanners say.
pub async fn release(conn: &mut Conn, file: Uuid, now: DateTime<Utc>) -> QueryResult<()> {
    Statement::new(
        "UPDATE files SET status = 'pending', released = true, due_at = ?, attempts = 0, updated_at = ? WHERE id = ?",
    )
    .with(now)
    .with(now)
    .with(file)
    .execute(conn)
    .await?;
    Ok(())
}

/// How often a file was taken up.
pub async fn attempts(conn: &mut Conn, file: Uuid) -> QueryResult<i64> {
    let row: Count = Statement::new("SELECT attempts::bigint AS count FROM files WHERE id = ?")
        .with(file)
        .get_result(conn)
        .await?;
    Ok(row.count)
}

#[derive(QueryableByName)]
struct Count {
    #[diesel(sql_type = BigInt)]
    count: i64,
}

/// Notes whether a scanner can be reached. Answers whether that is news.
pub async fn note_scanner(
    conn: &mut Conn,
    name: &str,
    reachable: bool,
    now: DateTime<Utc>,
) -> QueryResult<bool> {
    let changed = Statement::new(
        "INSERT INTO scanners AS s (name, reachable, since) VALUES (?, ?, ?)
         ON CONFLICT (name) DO UPDATE SET reachable = excluded.reachable, since = excluded.since
         WHERE s.reachable <> excluded.reachable",
    )
    .with(name)
    .with(reachable)
    .with(now)
    .execute(conn)
    .await?;
    Ok(changed == 1)
}
