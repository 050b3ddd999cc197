//! From descriptions to a running process, and back to nothing.

use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use actix_web::dev::ServerHandle;
use parlour_config::{ConfigError, Layers};
use parlour_db::DbError;
use parlour_events::Broker;
use parlour_http::Limits;
use parlour_telemetry::Metrics;
use parlour_vault::Vault;
use tokio_util::sync::CancellationToken;

use crate::assemble::{assemble, make_verifier, open_doors, schema};
use crate::background::Background;
use crate::serve::serve;
use crate::{Clock, Context, Handovers, Local, Readiness, Service, Settings, gauges, internal, signals};

/// Why a process did not start. The text is one sentence for the operator.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// A value is missing or wrong.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The database is not as the program needs it.
    #[error("{0}")]
    Schema(String),
    /// A service could not be put together.
    #[error("{service} cannot start: {cause}")]
    Build {
        /// Which.
        service: &'static str,
        /// Why.
        cause: String,
    },
    /// Two routes claim one path.
    #[error("routes: {0}")]
    Routes(String),
    /// An address cannot be bound.
    #[error("cannot listen on {address}: {cause}")]
    Listen {
        /// Which.
        address: SocketAddr,
        /// Why.
        cause: std::io::Error,
    },
    /// Logs, traces or metrics cannot be set up.
    #[error("telemetry: {0}")]
    Telemetry(String),
    /// Signals cannot be waited for.
    #[error("signals: {0}")]
    Signals(std::io::Error),
}

/// A running process.
pub struct Process {
    /// Where it serves.
    pub address: SocketAddr,
    /// Where probes and metrics are.
    pub internal_address: SocketAddr,
    local: Arc<Local>,
    /// Those that requests come in by, the probes' last.
    servers: Vec<ServerHandle>,
    stop: CancellationToken,
    background: Background,
    settings: Arc<Settings>,
}

/// Runs `services` until SIGTERM or SIGINT.
pub async fn run(services: &[Service], layers: Layers, metrics: Option<Metrics>) -> Result<(), RunError> {
    let process = Process::start(services, layers, metrics).await?;
    let signal = signals::asked_to_stop().await.map_err(RunError::Signals)?;
    tracing::info!(signal, "stopping");
    process.stop().await;
    tracing::info!("stopped");
    Ok(())
}

impl Process {
    /// Starts `services` in this process; done when they serve.
    pub async fn start(
        services: &[Service],
        layers: Layers,
        metrics: Option<Metrics>,
    ) -> Result<Self, RunError> {
        Self::start_at(Clock::system(), services, layers, metrics).await
    }

    /// Starts `services` by another clock.
    pub async fn start_at(
        clock: Clock,
        services: &[Service],
        layers: Layers,
        metrics: Option<Metrics>,
    ) -> Result<Self, RunError> {
        let settings = Arc::new(Settings::read(&layers)?);
        let stop = CancellationToken::new();
        let broker = Broker::new(settings.broker.clone()).map_err(|e| schema("broker", &e))?;
        let readiness = Readiness::new(broker.clone());
        let verifier = Arc::new(OnceLock::new());
        let vault =
            Vault::new(&settings.vault).map_err(|error| ConfigError::Invalid(vec![error.to_string()]))?;
        let base = Context {
            service: "",
            layers,
            settings: settings.clone(),
            db: None,
            broker,
            vault,
            clock,
            limits: Limits::new(settings.limits.clone()),
            readiness: readiness.clone(),
            local: services.iter().map(|s| s.name).collect(),
            handovers: Handovers::default(),
            stop: stop.clone(),
            verifier: verifier.clone(),
        };
        let mut assembled = Vec::new();
        for service in services {
            assembled.push(assemble(*service, &base).await?);
        }
        let mut background = Background::default();
        let checker = make_verifier(&assembled, &settings, &base, &mut background.tasks)?;
        // Set once: the lock was made a few lines above and nobody else has it.
        let _ = verifier.set(checker.clone());
        let (doors, local, pages) = open_doors(assembled, &settings, &base, &checker, &mut background)?;
        let mut running = Vec::new();
        for door in &doors {
            running.push(serve(&settings, door, &local)?);
        }
        let probes_at = doors
            .first()
            .map_or(settings.http.internal_listen, |door| door.internal_listen);
        let refused = |cause| RunError::Listen {
            address: probes_at,
            cause,
        };
        running.push(internal::serve(probes_at, readiness.clone(), metrics, pages).map_err(refused)?);
        let addresses: Vec<SocketAddr> = running.iter().map(|(_, address)| *address).collect();
        let servers = running.iter().map(|(server, _)| server.handle()).collect();
        for (server, _) in running {
            background.tasks.spawn(async move {
                if let Err(error) = server.await {
                    tracing::error!(%error, "a listener ended");
                }
            });
        }
        readiness.set_started();
        background
            .tasks
            .spawn(gauges::export(readiness.clone(), stop.clone()));
        let names = base.local.join(" ");
        let (address, internal_address) = match addresses.as_slice() {
            [first, .., last] => (*first, *last),
            _ => (settings.http.listen, probes_at),
        };
        tracing::info!(%address, %internal_address, services = names, "serving");
        Ok(Self {
            address,
            internal_address,
            local,
            servers,
            stop,
            background,
            settings,
        })
    }

    /// The routes, documents and health of the process.
    pub fn local(&self) -> &Local {
        &self.local
    }

    /// The services of this process that consume events.
    pub fn consumers(&self) -> &[&'static str] {
        &self.background.consumers
    }

    /// Runs the job `name` of `service` once, in this process and as soon as a run that is under way there has
    /// ended; `None` when there is none.
    /// For tests and operators who do not wait for the clock.
    pub async fn run_job(&self, service: &str, name: &str) -> Option<Result<(), DbError>> {
        let (db, job) = self
            .background
            .jobs
            .iter()
            .find(|(db, job)| db.service() == service && job.name == name)?;
        Some(job.once(db).await)
    }

    /// Stops without losing anything: says that it is not ready, goes on for as
    /// long as others may not know it yet, finishes what is in flight, ends.
    pub async fn stop(mut self) {
        self.local.readiness.set_stopping();
        tokio::time::sleep(Duration::from_secs(self.settings.http.drain_seconds)).await;
        let probes = self.servers.pop();
        futures_util::future::join_all(self.servers.iter().map(|server| server.stop(true))).await;
        self.stop.cancel();
        if let Some(probes) = probes {
            probes.stop(false).await;
        }
        let grace = Duration::from_secs(self.settings.http.grace_seconds);
        let ended = tokio::time::timeout(grace, async {
            while self.background.tasks.join_next().await.is_some() {}
        });
        if ended.await.is_err() {
            tracing::warn!("some tasks did not end within the grace and were cut off");
        }
    }
}
