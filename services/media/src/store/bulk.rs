//! Scans of many files at once.

use chrono::{DateTime, Utc};
use diesel::QueryableByName;
use diesel::result::QueryResult;
use diesel::sql_types::{BigInt, Nullable, Timestamptz, Uuid as SqlUuid};
use diesel_async::RunQueryDsl as _;
use parlour_db::{Conn, Statement};
use uuid::Uuid;

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
