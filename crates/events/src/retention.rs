//! Deleting what nobody needs any more.

use chrono::Duration;
use diesel::sql_query;
use diesel::sql_types::{BigInt, Double};
use diesel_async::RunQueryDsl as _;
use parlour_db::{Db, DbError};
use serde::Deserialize;

/// How long rows are kept (`[retention]` of a service).
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Retention {
    /// Days that a published event stays in the outbox.
    pub outbox_days: u32,
    /// Days that the inbox remembers a handled event.
    pub inbox_days: u32,
}

impl Default for Retention {
    fn default() -> Self {
        Self {
            outbox_days: 14,
            inbox_days: 50,
        }
    }
}

/// The inbox remembers at least this long: a day more than the log stream keeps
/// events, from which they can be sent again. (An older redelivery would still
/// be recognised by its version, which is never forgotten.)
const LEAST_INBOX_DAYS: u32 = 8;
const LEAST_OUTBOX_DAYS: u32 = 1;
const BATCH: i64 = 1000;

/// How many rows a sweep deleted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Swept {
    /// Published events.
    pub outbox: usize,
    /// Inbox entries.
    pub inbox: usize,
}

/// Deletes what is past its retention, in batches that hold no lock for long.
/// Several replicas may sweep at once.
pub async fn sweep(db: &Db, retention: Retention) -> Result<Swept, DbError> {
    let outbox = "DELETE FROM outbox WHERE seq IN (SELECT seq FROM outbox \
        WHERE published_at < clock_timestamp() - $1 * interval '1 second' \
        ORDER BY published_at LIMIT $2 FOR UPDATE SKIP LOCKED)";
    let inbox = "DELETE FROM inbox WHERE event_id IN (SELECT event_id FROM inbox \
        WHERE received_at < clock_timestamp() - $1 * interval '1 second' \
        ORDER BY received_at LIMIT $2 FOR UPDATE SKIP LOCKED)";
    Ok(Swept {
        outbox: delete(db, outbox, retention.outbox_days.max(LEAST_OUTBOX_DAYS)).await?,
        inbox: delete(db, inbox, retention.inbox_days.max(LEAST_INBOX_DAYS)).await?,
    })
}

#[expect(
    clippy::cast_precision_loss,
    reason = "seconds of some days are exact in a float"
)]
async fn delete(db: &Db, sql: &str, days: u32) -> Result<usize, DbError> {
    let seconds = Duration::days(i64::from(days)).num_seconds() as f64;
    let mut deleted = 0;
    loop {
        let mut conn = db.conn().await?;
        let batch = sql_query(sql)
            .bind::<Double, _>(seconds)
            .bind::<BigInt, _>(BATCH)
            .execute(&mut conn)
            .await?;
        deleted += batch;
        if i64::try_from(batch).is_ok_and(|n| n < BATCH) {
            return Ok(deleted);
        }
    }
}
