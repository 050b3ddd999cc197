//! What a service is, before anything runs.

use std::any::Any;
use std::sync::Arc;
use std::time::Duration;

use actix_web::web;
use futures_util::future::BoxFuture;
use parlour_auth::Authority;
use parlour_config::{ConfigError, Layers};
use parlour_db::Migrations;
use parlour_events::Consumer;
use parlour_http::Routes;

use crate::{Context, FrontFactory, Job};

/// A service, described.
#[derive(Clone, Copy)]
pub struct Service {
    /// Its name: of the folder, the schema, the configuration's part, the consumer.
    pub name: &'static str,
    /// Its name in `/health`; `None` leaves it out.
    pub health: Option<&'static str>,
    /// Its annotated defaults.
    pub defaults: &'static str,
    /// Its migrations; empty for a service without a database.
    pub migrations: fn() -> Migrations,
    /// Whether it has a schema of its own.
    pub has_database: bool,
    /// Whether its part of the configuration can be used.
    pub check: fn(&Layers) -> Result<(), ConfigError>,
    /// Its routes with nothing behind them, for documents and generated tests.
    pub routes: fn() -> Routes,
    /// Puts it together.
    pub build: fn(Context) -> BoxFuture<'static, anyhow::Result<Built>>,
}

/// A service, put together and ready to run.
pub struct Built {
    /// What its handlers share.
    pub state: Arc<dyn Any + Send + Sync>,
    /// The events it handles.
    pub consumer: Option<Consumer>,
    /// How long what it publishes may wait for more of it, so that it goes to the broker together: nothing where
    /// somebody waits for what comes of an event.
    pub events_wait: Duration,
    /// What it does by the clock.
    pub jobs: Vec<Job>,
    /// What it does all the time, until the token of its [`Context`] says stop. A stopping
    /// process waits for it within its grace.
    pub tasks: Vec<BoxFuture<'static, ()>>,
    /// Routes that only the platform's own processes may call, by the internal key.
    pub internal: Routes,
    /// What answers questions about tokens; identity's alone.
    pub authority: Option<Arc<dyn Authority>>,
    /// What operators see on the internal listener, beside probes and metrics.
    pub pages: Vec<Page>,
    /// What takes requests in before any route does; the gateway's alone.
    pub front: Option<FrontFactory>,
}

/// Routes of the internal listener.
pub type Page = Arc<dyn Fn(&mut web::ServiceConfig) + Send + Sync>;

impl Built {
    /// A service with this state and nothing else.
    pub fn new(state: Arc<dyn Any + Send + Sync>) -> Self {
        Self {
            state,
            consumer: None,
            events_wait: Duration::ZERO,
            jobs: Vec::new(),
            tasks: Vec::new(),
            internal: Routes::default(),
            pages: Vec::new(),
            authority: None,
            front: None,
        }
    }
}
