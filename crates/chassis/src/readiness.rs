//! How the services of a process are.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use actix_web::HttpResponse;
use parlour_db::Db;
use parlour_events::Broker;
use serde::{Deserialize, Serialize};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

/// How long a check may take before it counts as failed.
const CHECK_TIME: Duration = Duration::from_secs(1);

/// How one service is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ServiceHealth {
    /// Everything it needs is there.
    Active,
    /// It answers, but something it needs for the background (the broker) is away.
    Degraded,
    /// It cannot do its work.
    Down,
}

/// The checks of a process. Cheap to clone.
#[derive(Clone)]
pub struct Readiness(Arc<Inner>);

struct Inner {
    broker: Broker,
    services: RwLock<Vec<(&'static str, Option<Db>)>>,
    /// Whether the queue of a service stands.
    queues: RwLock<Vec<(&'static str, watch::Receiver<bool>)>>,
    started: AtomicBool,
    stopping: CancellationToken,
}

/// What `/-/ready` answers.
#[derive(Debug, Serialize, Deserialize)]
pub struct Report {
    /// Whether requests should be sent here.
    pub ready: bool,
    /// How each service is, by name.
    pub services: std::collections::BTreeMap<String, ServiceHealth>,
}

impl Readiness {
    pub(crate) fn new(broker: Broker) -> Self {
        Self(Arc::new(Inner {
            broker,
            services: RwLock::default(),
            queues: RwLock::default(),
            started: AtomicBool::new(false),
            stopping: CancellationToken::new(),
        }))
    }

    pub(crate) fn add(&self, service: &'static str, db: Option<Db>) {
        let mut services = self.0.services.write().unwrap_or_else(PoisonError::into_inner);
        services.push((service, db));
    }

    /// Not ready until the queue of `service` stands: what is published before that passes it by.
    pub(crate) fn needs_queue(&self, service: &'static str, stands: watch::Receiver<bool>) {
        let mut queues = self.0.queues.write().unwrap_or_else(PoisonError::into_inner);
        queues.push((service, stands));
    }

    /// Waits until every queue that is needed stands.
    pub(crate) async fn queues(&self) {
        let queues = self
            .0
            .queues
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        for (service, mut stands) in queues {
            if stands.wait_for(|stands| *stands).await.is_err() {
                tracing::debug!(service, "the consumer ended before its queue stood");
            }
        }
    }

    fn lacks_queue(&self, service: &str) -> bool {
        let queues = self.0.queues.read().unwrap_or_else(PoisonError::into_inner);
        queues
            .iter()
            .any(|(name, stands)| *name == service && !*stands.borrow())
    }

    pub(crate) fn set_started(&self) {
        self.0.started.store(true, Ordering::Release);
    }

    pub(crate) fn set_stopping(&self) {
        self.0.stopping.cancel();
    }

    /// Whether the start has come to its end.
    pub fn is_started(&self) -> bool {
        self.0.started.load(Ordering::Acquire)
    }

    /// Whether the process has been told to stop.
    pub fn is_stopping(&self) -> bool {
        self.0.stopping.is_cancelled()
    }

    /// Ends when the process is told to stop: the moment to let go of what is held open for long.
    pub async fn stopping(&self) {
        self.0.stopping.cancelled().await;
    }

    /// The pools of the services that have a database.
    pub(crate) fn pools(&self) -> Vec<Db> {
        let services = self.0.services.read().unwrap_or_else(PoisonError::into_inner);
        services.iter().filter_map(|(_, db)| db.clone()).collect()
    }

    /// Checks every service of this process.
    pub async fn report(&self) -> Report {
        let services = self
            .0
            .services
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        let broker = self.0.broker.is_up();
        let mut report = Report {
            ready: self.is_started() && !self.is_stopping(),
            services: std::collections::BTreeMap::new(),
        };
        for (name, db) in services {
            let health = match db {
                Some(db) if !answers(&db).await => ServiceHealth::Down,
                Some(_) if !broker || self.lacks_queue(name) => ServiceHealth::Degraded,
                _ => ServiceHealth::Active,
            };
            report.ready &= !self.lacks_queue(name);
            report.services.insert(name.to_owned(), health);
        }
        report.ready &= report.services.values().all(|h| *h != ServiceHealth::Down);
        report
    }

    pub(crate) async fn response(&self) -> HttpResponse {
        let report = self.report().await;
        if report.ready {
            HttpResponse::Ok().json(report)
        } else {
            HttpResponse::ServiceUnavailable().json(report)
        }
    }
}

async fn answers(db: &Db) -> bool {
    matches!(tokio::time::timeout(CHECK_TIME, db.ping()).await, Ok(Ok(())))
}
