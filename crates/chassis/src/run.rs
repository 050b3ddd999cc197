//! From descriptions to a running process, and back to nothing.

use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use actix_web::dev::{Server, ServerHandle};
use actix_web::{App, HttpRequest, HttpServer, web};
use parlour_auth::{Authority, Remote, Revocations, Verifier};
use parlour_config::{ConfigError, Layers};
use parlour_db::{Db, DbError};
use parlour_events::Broker;
use parlour_http::{Limits, Router, Routes, ServiceHandle};
use parlour_telemetry::Metrics;
use parlour_vault::Vault;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::background::Background;
use crate::front::PlainDoor;
use crate::{
    Built, Clock, Context, FrontFactory, Local, Readiness, Service, Settings, gauges, internal, revocations,
    signals, wait,
};

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
    servers: [ServerHandle; 2],
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

struct Assembled {
    service: Service,
    handle: Arc<ServiceHandle>,
    built: Built,
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
        let (fronts, local) = open_doors(assembled, &settings, &base, &checker, &mut background)?;
        let (server, address) = serve(&settings, &fronts, &local)?;
        let (probes, internal_address) = internal::serve(fronts.internal_listen, readiness.clone(), metrics)
            .map_err(|cause| RunError::Listen {
                address: fronts.internal_listen,
                cause,
            })?;
        let servers = [server.handle(), probes.handle()];
        for server in [server, probes] {
            background.tasks.spawn(async move {
                if let Err(error) = server.await {
                    tracing::error!(%error, "a listener ended");
                }
            });
        }
        readiness.set_started();
        background.tasks.spawn(gauges::export(readiness.clone(), stop.clone()));
        let names = base.local.join(" ");
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

    /// Runs the job `name` of `service` once, now and in this process; `None` when there is none.
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
        let [server, probes] = &self.servers;
        server.stop(true).await;
        self.stop.cancel();
        probes.stop(false).await;
        let grace = Duration::from_secs(self.settings.http.grace_seconds);
        let ended = tokio::time::timeout(grace, async {
            while self.background.tasks.join_next().await.is_some() {}
        });
        if ended.await.is_err() {
            tracing::warn!("some tasks did not end within the grace and were cut off");
        }
    }
}

fn schema(what: &str, error: &dyn std::fmt::Display) -> RunError {
    RunError::Schema(format!("{what}: {error}"))
}

async fn assemble(service: Service, base: &Context) -> Result<Assembled, RunError> {
    let mut context = base.clone();
    context.service = service.name;
    if service.has_database {
        let db = Db::new(&base.settings.database, service.name).map_err(|e| schema("database", &e))?;
        wait::for_database(&db, &base.stop).await;
        let missing = parlour_db::pending(&db, &crate::migrations(&service))
            .await
            .map_err(|e| schema("database", &e))?;
        if !missing.is_empty() {
            return Err(RunError::Schema(format!(
                "{} has migrations that have not run ({}); run `parlour migrate` first",
                service.name,
                missing.join(", ")
            )));
        }
        context.db = Some(db);
    }
    base.readiness
        .add(service.health.unwrap_or(service.name), context.db.clone());
    let db = context.db.clone();
    let built = (service.build)(context).await.map_err(|error| RunError::Build {
        service: service.name,
        cause: format!("{error:#}"),
    })?;
    let handle = Arc::new(ServiceHandle {
        name: service.name,
        db,
        vault: base.vault.clone(),
        limits: base.limits.clone(),
        state: built.state.clone(),
    });
    Ok(Assembled {
        service,
        handle,
        built,
    })
}

fn make_verifier(
    assembled: &[Assembled],
    settings: &Settings,
    base: &Context,
    tasks: &mut JoinSet<()>,
) -> Result<Arc<Verifier>, RunError> {
    let local = assembled.iter().find_map(|a| a.built.authority.clone());
    let authority: Arc<dyn Authority> = if let Some(authority) = local {
        authority
    } else {
        let remote = Remote::new(&settings.auth.identity_url, settings.internal.clone());
        Arc::new(remote.map_err(|e| schema("auth.identity_url", &e))?)
    };
    let tokens = settings.auth.tokens.clone();
    let lifetime = Duration::from_secs(tokens.access_token_seconds);
    let revocations = Arc::new(Revocations::new(lifetime));
    let following = revocations::follow(
        base.broker.clone(),
        authority.clone(),
        revocations.clone(),
        base.stop.clone(),
    );
    tasks.spawn(following);
    Ok(Arc::new(Verifier::new(tokens, authority, revocations)))
}

struct Doors {
    listen: SocketAddr,
    internal_listen: SocketAddr,
    tls: Option<rustls::ServerConfig>,
    make: crate::front::MakeFront,
}

/// Gathers the routes, starts what runs beside them, and chooses the front.
fn open_doors(
    assembled: Vec<Assembled>,
    settings: &Settings,
    base: &Context,
    verifier: &Arc<Verifier>,
    background: &mut Background,
) -> Result<(Doors, Arc<Local>), RunError> {
    let mut public: Vec<(Routes, Arc<ServiceHandle>)> = Vec::new();
    let mut private = Vec::new();
    let mut documents = Vec::new();
    let mut front: Option<FrontFactory> = None;
    for Assembled {
        service,
        handle,
        built,
    } in assembled
    {
        let routes = (service.routes)();
        documents.push((
            service.name,
            parlour_http::document(service.name, crate::VERSION, &routes),
        ));
        public.push((routes, handle.clone()));
        private.push((built.internal, handle.clone()));
        front = front.or(built.front);
        if let Some(db) = &handle.db {
            crate::background::start(db, built.consumer, built.jobs, base, background);
        }
    }
    let proxies = settings.http.trusted_proxies.clone();
    let router = Router::new(public, verifier.clone(), proxies.clone()).map_err(RunError::Routes)?;
    let private = Router::new(private, verifier.clone(), proxies).map_err(RunError::Routes)?;
    let local = Arc::new(Local {
        router,
        documents,
        readiness: base.readiness.clone(),
    });
    let private = Arc::new(private);
    let key = settings.internal.clone();
    let doors = match front {
        Some(front) => Doors {
            listen: front.listen,
            internal_listen: front.internal_listen,
            tls: front.tls,
            make: front.make,
        },
        None => Doors {
            listen: settings.http.listen,
            internal_listen: settings.http.internal_listen,
            tls: None,
            make: Arc::new(move |_| {
                std::rc::Rc::new(PlainDoor {
                    key: key.clone(),
                    internal: private.clone(),
                })
            }),
        },
    };
    Ok((doors, local))
}

fn serve(settings: &Settings, doors: &Doors, local: &Arc<Local>) -> Result<(Server, SocketAddr), RunError> {
    let refused = |cause| RunError::Listen {
        address: doors.listen,
        cause,
    };
    let (make, local) = (doors.make.clone(), local.clone());
    let mut server = HttpServer::new(move || {
        let front = make(&local);
        let local = local.clone();
        App::new().default_service(web::to(move |request: HttpRequest, payload: web::Payload| {
            let (front, local) = (front.clone(), local.clone());
            async move { front.handle(&local, request, payload.into_inner()).await }
        }))
    })
    .disable_signals()
    .shutdown_timeout(settings.http.grace_seconds)
    // Slow senders of a head are cut off; slow senders of a body are the body reader's to judge.
    .client_request_timeout(Duration::from_secs(10))
    .client_disconnect_timeout(Duration::from_secs(5))
    .keep_alive(Duration::from_secs(75));
    if settings.http.workers > 0 {
        server = server.workers(settings.http.workers);
    }
    let server = match doors.tls.clone() {
        Some(tls) => server.bind_rustls_0_23(doors.listen, tls),
        None => server.bind_auto_h2c(doors.listen),
    }
    .map_err(refused)?;
    let address = server.addrs().first().copied().unwrap_or(doors.listen);
    Ok((server.run(), address))
}
