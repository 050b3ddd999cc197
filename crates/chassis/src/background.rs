//! What runs beside the routes of a service: relay, consumer, jobs, sweeps.

use std::time::Duration;

use parlour_db::Db;
use parlour_events::retention::{self, Retention};
use parlour_events::{Consumer, Relay, RelaySettings};
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

impl Background {
    /// Relays the events of a service, each of which may wait so long for others.
    pub(crate) fn relay(&mut self, db: &Db, wait: Duration, base: &Context) {
        let mut settings = base.settings.relay.clone();
        settings.gather_ms = settings
            .gather_ms
            .max(u64::try_from(wait.as_millis()).unwrap_or(u64::MAX));
        self.tasks.spawn(relay(db.clone(), settings, base.clone()));
    }

    /// Starts the rest for one service.
    pub(crate) fn start(&mut self, db: &Db, consumer: Option<Consumer>, jobs: Vec<Job>, base: &Context) {
        let (broker, stop) = (base.broker.clone(), base.stop.clone());
        if let Some(consumer) = consumer {
            self.consumers.push(db.service());
            let settings = base.settings.consumer.clone();
            let consumer = consumer.spawn(db.clone(), broker, settings, stop);
            self.tasks.spawn(async move { log_end(consumer.await) });
        }
        for job in jobs.into_iter().chain(sweeps(db, base.settings.retention)) {
            // Whoever moves the clock by hand would find jobs done at times that nobody chose.
            if !base.clock.is_manual() {
                self.tasks
                    .spawn(job.clone().repeat(db.clone(), base.stop.clone()));
            }
            self.jobs.push((db.clone(), job));
        }
    }
}

/// Relays, from the moment on at which no queue of this process can be passed by: the first start
/// finds what an operator's command wrote before there was a queue.
async fn relay(db: Db, settings: RelaySettings, base: Context) {
    tokio::select! {
        () = base.stop.cancelled() => return,
        () = base.readiness.queues() => {}
    }
    let relay = Relay::spawn(db, base.broker, settings, base.stop);
    log_end(relay.await);
}

fn sweeps(db: &Db, retention: Retention) -> [Job; 3] {
    let (keys, buckets, events) = (db.clone(), db.clone(), db.clone());
    [
        Job::new("sweep_idempotency_keys", Duration::from_mins(10), move || {
            let db = keys.clone();
            async move { parlour_http::sweep_keys(&db).await.map(drop) }
        }),
        Job::new("sweep_rate_buckets", Duration::from_mins(5), move || {
            let db = buckets.clone();
            async move { parlour_http::sweep_buckets(&db).await.map(drop) }
        }),
        // Replicas pass over each other's rows, and a long sweep would outlive the
        // transaction that makes a job one replica's.
        Job::everywhere("sweep_events", Duration::from_hours(1), move || {
            let db = events.clone();
            async move {
                let swept = retention::sweep(&db, retention).await?;
                let (service, outbox, inbox) = (db.service(), swept.outbox, swept.inbox);
                tracing::debug!(
                    service,
                    outbox,
                    inbox,
                    "swept events that are past their retention"
                );
                Ok(())
            }
        }),
    ]
}

fn log_end(end: Result<(), tokio::task::JoinError>) {
    if let Err(error) = end {
        tracing::error!(%error, "a background task ended before its time");
    }
}
