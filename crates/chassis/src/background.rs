//! What runs beside the routes of a service: relay, consumer, jobs, sweeps.

use std::time::Duration;

use parlour_db::Db;
use parlour_events::{Consumer, Relay};
use tokio::task::JoinSet;

use crate::{Context, Job};

/// Starts it all for one service.
pub(crate) fn start(
    db: &Db,
    consumer: Option<Consumer>,
    jobs: Vec<Job>,
    base: &Context,
    tasks: &mut JoinSet<()>,
) {
    let (broker, stop) = (base.broker.clone(), base.stop.clone());
    let relay = Relay::spawn(db.clone(), broker.clone(), base.settings.relay.clone(), stop.clone());
    tasks.spawn(async move { log_end(relay.await) });
    if let Some(consumer) = consumer {
        let settings = base.settings.consumer.clone();
        let consumer = consumer.spawn(db.clone(), broker, settings, stop);
        tasks.spawn(async move { log_end(consumer.await) });
    }
    for job in jobs.into_iter().chain(sweeps(db)) {
        tasks.spawn(job.repeat(db.clone(), base.stop.clone()));
    }
}

fn sweeps(db: &Db) -> [Job; 2] {
    let (keys, buckets) = (db.clone(), db.clone());
    [
        Job::new("sweep_idempotency_keys", Duration::from_mins(10), move || {
            let db = keys.clone();
            async move { parlour_http::sweep_keys(&db).await.map(drop) }
        }),
        Job::new("sweep_rate_buckets", Duration::from_mins(5), move || {
            let db = buckets.clone();
            async move { parlour_http::sweep_buckets(&db).await.map(drop) }
        }),
    ]
}

fn log_end(end: Result<(), tokio::task::JoinError>) {
    if let Err(error) = end {
        tracing::error!(%error, "a background task ended before its time");
    }
}
