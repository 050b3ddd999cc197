//! Durable rate buckets: one figure over all replicas, not emptied by a restart.

use std::time::Duration;

use diesel::sql_types::{Binary, Bool, Double, Nullable};
use diesel::{OptionalExtension, QueryableByName};
use diesel_async::RunQueryDsl;
use parlour_db::{Db, DbError};

use crate::{ApiError, Limit, RateClass, ServiceHandle};

/// What came of taking a token.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Taken {
    /// When to try again, if it was refused.
    pub refused: Option<Duration>,
    /// How many more may come at once now.
    pub remaining: u32,
    /// When the bucket is full again.
    pub reset: Duration,
}

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = Bool)]
    admitted: bool,
    #[diesel(sql_type = Nullable<Double>)]
    ahead: Option<f64>,
}

/// The generic cell rate algorithm (ITU-T I.371) in one statement: `arrival` is
/// the theoretical arrival time of the next request; a request may come when that
/// is no further ahead than the burst allows. The row's lock makes racing replicas take turns.
const TAKE: &str = "
WITH taken AS (
  INSERT INTO rate_buckets AS b (id, arrival)
  VALUES ($1, clock_timestamp() + make_interval(secs => $2))
  ON CONFLICT (id) DO UPDATE
    SET arrival = greatest(b.arrival, clock_timestamp()) + make_interval(secs => $2)
    WHERE greatest(b.arrival, clock_timestamp()) + make_interval(secs => $2)
       <= clock_timestamp() + make_interval(secs => $3)
  RETURNING arrival
)
SELECT EXISTS (SELECT FROM taken) AS admitted,
       extract(epoch FROM coalesce((SELECT arrival FROM taken),
         (SELECT arrival FROM rate_buckets WHERE id = $1)) - clock_timestamp())::float8 AS ahead";

/// Takes one token of `class` for `key`.
pub async fn take(
    service: &ServiceHandle,
    class: RateClass,
    limit: Limit,
    key: &str,
) -> Result<Taken, ApiError> {
    let id = service.vault.blind_index(class.name(), key);
    let interval = limit.interval().as_secs_f64();
    let depth = interval * f64::from(limit.burst);
    let mut conn = service.db()?.conn().await?;
    let row: Option<Row> = diesel::sql_query(TAKE)
        .bind::<Binary, _>(id)
        .bind::<Double, _>(interval)
        .bind::<Double, _>(depth)
        .get_result(&mut conn)
        .await
        .optional()?;
    let (admitted, ahead) = row.map_or((false, 0.0), |r| (r.admitted, r.ahead.unwrap_or(0.0)));
    Ok(taken(admitted, ahead.max(0.0), interval, depth))
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "between 0 and a burst"
)]
fn taken(admitted: bool, ahead: f64, interval: f64, depth: f64) -> Taken {
    let room = ((depth - ahead) / interval).floor().max(0.0);
    Taken {
        refused: (!admitted).then(|| Duration::from_secs_f64((ahead + interval - depth).max(0.001))),
        remaining: if admitted { room as u32 } else { 0 },
        reset: Duration::from_secs_f64(ahead),
    }
}

/// Deletes the buckets that are full, which is what a missing one means too. Answers how many.
pub async fn sweep_buckets(db: &Db) -> Result<usize, DbError> {
    let mut conn = db.conn().await?;
    let deleted = diesel::sql_query(
        "DELETE FROM rate_buckets WHERE id IN (
           SELECT id FROM rate_buckets WHERE arrival < now() LIMIT 5000 FOR UPDATE SKIP LOCKED)",
    )
    .execute(&mut conn)
    .await?;
    Ok(deleted)
}
