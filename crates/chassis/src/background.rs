//! What runs beside the routes of a service: relay, consumer, jobs, sweeps.

use std::time::Duration;

use parlour_db::Db;
use parlour_events::Consumer;
use tokio::task::JoinSet;

use crate::{Context, Job};

/// Starts it all for one service.
pub(crate) fn start(
    db: &Db,
    _consumer: Option<Consumer>,
    jobs: Vec<Job>,
    base: &Context,
    tasks: &mut JoinSet<()>,
) {
    for job in jobs.into_iter().chain(sweeps(db)) {
        tasks.spawn(job.repeat(db.clone(), base.stop.clone()));
    }
}

fn sweeps(db: &Db) -> [Job; 2] {
    let (keys, buckets) = (db.clone(), db.clone());
    [
        Job::new("sweep_idempotency_keys", Duration::from_secs(600), move || {
            let db = keys.clone();
            async move { parlour_http::sweep_keys(&db).await.map(drop) }
        }),
        Job::new("sweep_rate_buckets", Duration::from_secs(300), move || {
            let db = buckets.clone();
            async move { parlour_http::sweep_buckets(&db).await.map(drop) }
        }),
    ]
}
