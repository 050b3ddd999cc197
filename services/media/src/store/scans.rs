//! What scanners said, scans that were asked for, and who is in quarantine.

use chrono::{DateTime, Utc};
use diesel::QueryableByName;
use diesel::result::QueryResult;
use diesel::sql_types::{Array, BigInt, Bool, Nullable, Text, Timestamptz, Uuid as SqlUuid};
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

/// How far a scan of many files is.
#[derive(Clone, Debug, QueryableByName)]
#[expect(missing_docs, reason = "the names say it")]
pub struct Progress {
    #[diesel(sql_type = SqlUuid)]
    pub id: Uuid,
    #[diesel(sql_type = BigInt)]
    pub total: i64,
    #[diesel(sql_type = BigInt)]
    pub done: i64,
    #[diesel(sql_type = BigInt)]
    pub quarantined: i64,
    #[diesel(sql_type = Timestamptz)]
    pub created_at: DateTime<Utc>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    pub last_at: Option<DateTime<Utc>>,
}

/// Which files are scanned together.
#[derive(Debug, Default)]
#[expect(missing_docs, reason = "the names say it")]
pub struct Choice<'c> {
    pub ids: Option<&'c [Uuid]>,
    pub owner_id: Option<Uuid>,
    pub kind: Option<&'c str>,
    pub status: Option<&'c str>,
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

/// Begins a scan of up to `most` of the files that are chosen, the newest. Answers how many.
pub async fn begin(
    conn: &mut Conn,
    job: Uuid,
    by: Uuid,
    choice: &Choice<'_>,
    most: i64,
    now: DateTime<Utc>,
) -> QueryResult<i64> {
    let row: Count = Statement::new(
        "WITH job AS (INSERT INTO scan_jobs (id, created_by, created_at) VALUES (?, ?, ?)),
         chosen AS (
           SELECT id FROM files WHERE (? OR id = ANY (?)) AND (?::uuid IS NULL OR owner_id = ?)
             AND (?::text IS NULL OR kind = ?) AND (?::text IS NULL OR status = ?) AND deleted_at IS NULL
           ORDER BY id DESC LIMIT ?),
         due AS (UPDATE files f SET due_at = least(f.due_at, ?) FROM chosen WHERE f.id = chosen.id),
         listed AS (INSERT INTO scan_job_files (job_id, file_id) SELECT ?, id FROM chosen RETURNING 1)
         SELECT count(*) FROM listed",
    )
    .with(job)
    .with(by)
    .with(now)
    .with(choice.ids.is_none())
    .with(choice.ids.unwrap_or_default())
    .with(choice.owner_id)
    .with(choice.owner_id)
    .with(choice.kind)
    .with(choice.kind)
    .with(choice.status)
    .with(choice.status)
    .with(most)
    .with(now)
    .with(job)
    .get_result(conn)
    .await?;
    Ok(row.count)
}

/// A file's scan has ended so, for all jobs that wait for it.
pub async fn report(
    conn: &mut Conn,
    file: Uuid,
    outcome: &'static str,
    now: DateTime<Utc>,
) -> QueryResult<()> {
    Statement::new(
        "UPDATE scan_job_files SET outcome = ?, done_at = ? WHERE file_id = ? AND outcome IS NULL",
    )
    .with(outcome)
    .with(now)
    .with(file)
    .execute(conn)
    .await?;
    Ok(())
}

/// How far a scan of many files is. Files that were removed meanwhile count as done.
pub async fn progress(conn: &mut Conn, job: Uuid) -> QueryResult<Progress> {
    Statement::new(
        "SELECT j.id, j.created_at, count(s.file_id) AS total,
           count(*) FILTER (WHERE s.outcome IS NOT NULL OR (s.file_id IS NOT NULL AND f.id IS NULL)) AS done,
           count(*) FILTER (WHERE s.outcome = 'quarantined') AS quarantined, max(s.done_at) AS last_at
         FROM scan_jobs j LEFT JOIN scan_job_files s ON s.job_id = j.id LEFT JOIN files f ON f.id = s.file_id
         WHERE j.id = ? GROUP BY j.id",
    )
    .with(job)
    .get_result(conn)
    .await
}

/// Scans of many files that are not done.
pub async fn open_jobs(conn: &mut Conn) -> QueryResult<i64> {
    let row: Count = Statement::new(
        "SELECT count(DISTINCT s.job_id) FROM scan_job_files s JOIN files f ON f.id = s.file_id WHERE s.outcome IS NULL",
    )
    .get_result(conn)
    .await?;
    Ok(row.count)
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
