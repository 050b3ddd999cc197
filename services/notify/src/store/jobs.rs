//! Jobs that tell many people.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use parlour_db::Conn;
use serde_json::Value;
use uuid::Uuid;

use crate::schema::jobs;

/// A job.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = jobs)]
#[expect(missing_docs, reason = "the migration documents the columns")]
pub struct Job {
    pub id: Uuid,
    pub kind: String,
    pub status: String,
    pub request_sealed: Vec<u8>,
    pub audience: Value,
    pub sender: Uuid,
    pub total: i64,
    pub done: i64,
    pub failed: i64,
    pub reached: Uuid,
    pub attempts: i32,
    pub error: Option<String>,
    pub created_at: DateTime<Utc>,
    pub started_at: Option<DateTime<Utc>>,
    pub finished_at: Option<DateTime<Utc>>,
}

impl Job {
    /// Where the sealed request belongs.
    pub fn place(id: Uuid) -> String {
        format!("jobs.request:{id}")
    }
}

/// A new job.
#[derive(Insertable)]
#[diesel(table_name = jobs)]
#[expect(missing_docs, reason = "the migration documents the columns")]
pub struct NewJob {
    pub id: Uuid,
    pub kind: &'static str,
    pub status: &'static str,
    pub request_sealed: Vec<u8>,
    pub audience: Value,
    pub sender: Uuid,
    pub total: i64,
    pub leased_until: DateTime<Utc>,
    pub created_at: DateTime<Utc>,
}

/// Inserts it.
pub async fn insert(conn: &mut Conn, job: &NewJob) -> QueryResult<()> {
    diesel::insert_into(jobs::table).values(job).execute(conn).await?;
    Ok(())
}

/// One by id.
pub async fn find(conn: &mut Conn, id: Uuid) -> QueryResult<Option<Job>> {
    jobs::table
        .find(id)
        .select(Job::as_select())
        .first(conn)
        .await
        .optional()
}

/// How many are not at their end.
pub async fn open(conn: &mut Conn) -> QueryResult<i64> {
    jobs::table
        .filter(jobs::status.eq_any(["queued", "running"]))
        .count()
        .get_result(conn)
        .await
}

/// Takes up the oldest open job that is nobody's, until `lease`.
pub async fn claim(conn: &mut Conn, now: DateTime<Utc>, lease: DateTime<Utc>) -> QueryResult<Option<Uuid>> {
    let free: Option<Uuid> = jobs::table
        .filter(jobs::status.eq_any(["queued", "running"]))
        .filter(jobs::leased_until.le(now))
        .order(jobs::created_at)
        .select(jobs::id)
        .for_update()
        .skip_locked()
        .first(conn)
        .await
        .optional()?;
    if let Some(id) = free {
        diesel::update(jobs::table.find(id))
            .set((
                jobs::status.eq("running"),
                jobs::leased_until.eq(lease),
                jobs::started_at.eq(diesel::dsl::sql::<
                    diesel::sql_types::Nullable<diesel::sql_types::Timestamptz>,
                >("coalesce(started_at, ")
                .bind::<diesel::sql_types::Timestamptz, _>(now)
                .sql(")")),
            ))
            .execute(conn)
            .await?;
    }
    Ok(free)
}

/// The job for its next batch, locked: a cancel waits for the batch, or the batch sees it.
pub async fn lock_running(conn: &mut Conn, id: Uuid) -> QueryResult<Option<Job>> {
    jobs::table
        .find(id)
        .filter(jobs::status.eq("running"))
        .select(Job::as_select())
        .for_update()
        .first(conn)
        .await
        .optional()
}

/// A batch is through.
pub async fn progress(
    conn: &mut Conn,
    id: Uuid,
    reached: Uuid,
    (done, failed): (i64, i64),
    lease: DateTime<Utc>,
) -> QueryResult<()> {
    diesel::update(jobs::table.find(id))
        .set((
            jobs::done.eq(jobs::done + done),
            jobs::failed.eq(jobs::failed + failed),
            jobs::reached.eq(reached),
            jobs::attempts.eq(0),
            jobs::leased_until.eq(lease),
        ))
        .execute(conn)
        .await?;
    Ok(())
}

/// Everybody was told. Of named people, those whom the platform does not know count as failed;
/// of everybody else, whoever came or went meanwhile changes the total.
pub async fn finish(conn: &mut Conn, job: &Job, named: bool, now: DateTime<Utc>) -> QueryResult<()> {
    let told = job.done + job.failed;
    let (total, failed) = if named {
        (job.total, job.failed + (job.total - told).max(0))
    } else {
        (told, job.failed)
    };
    diesel::update(jobs::table.find(job.id))
        .set((
            jobs::status.eq("done"),
            jobs::total.eq(total),
            jobs::failed.eq(failed),
            jobs::finished_at.eq(now),
        ))
        .execute(conn)
        .await?;
    Ok(())
}

/// Ends a job before its time. False when it had ended.
pub async fn end(
    conn: &mut Conn,
    id: Uuid,
    status: &'static str,
    error: Option<&str>,
    now: DateTime<Utc>,
) -> QueryResult<bool> {
    let ended = diesel::update(jobs::table.find(id))
        .filter(jobs::status.eq_any(["queued", "running"]))
        .set((
            jobs::status.eq(status),
            jobs::error.eq(error),
            jobs::finished_at.eq(now),
        ))
        .execute(conn)
        .await?;
    Ok(ended == 1)
}

/// A batch failed: the job rests until `later`. Answers how often it did so in a row.
pub async fn setback(conn: &mut Conn, id: Uuid, error: &str, later: DateTime<Utc>) -> QueryResult<i32> {
    let short: String = error.chars().take(500).collect();
    diesel::update(jobs::table.find(id))
        .set((
            jobs::attempts.eq(jobs::attempts + 1),
            jobs::error.eq(short),
            jobs::leased_until.eq(later),
        ))
        .returning(jobs::attempts)
        .get_result(conn)
        .await
}
