//! What runs beside the routes of a service: relay, consumer, jobs, sweeps.

use std::time::Duration;

use parlour_db::Db;
use parlour_events::{Consumer, Relay};
use tokio::task::JoinSet;

use crate::{Context, Job};

/// What runs beside the routes of all services.
#[derive(Default)]
pub(crate) struct Background {
    pub(crate) tasks: JoinSet<()>,
    pub(crate) jobs: Vec<(Db, Job)>,
    /// The services that consume events.
    pub(crate) consumers: Vec<&'static str>,
}

/// Starts it all for one service.
pub(crate) fn start(
    db: &Db,
    consumer: Option<Consumer>,
    jobs: Vec<Job>,
    base: &Context,
    background: &mut Background,
) {
    let (broker, stop) = (base.broker.clone(), base.stop.clone());
    let relay = Relay::spawn(db.clone(), broker.clone(), base.settings.relay.clone(), stop.clone());
    background.tasks.spawn(async move { log_end(relay.await) });
    if let Some(consumer) = consumer {
        background.consumers.push(db.service());
        let settings = base.settings.consumer.clone();
        let consumer = consumer.spawn(db.clone(), broker, settings, stop);
        background.tasks.spawn(async move { log_end(consumer.await) });
    }
    for job in jobs.into_iter().chain(sweeps(db)) {
        background.tasks.spawn(job.clone().repeat(db.clone(), base.stop.clone()));
        background.jobs.push((db.clone(), job));
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
