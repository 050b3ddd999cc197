//! From described services to assembled ones, and the doors they are reached through.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use parlour_auth::{Authority, Remote, Revocations, Verifier};
use parlour_db::{Db, DbError};
use parlour_http::{Router, Routes, ServiceHandle};
use serde_json::value::{RawValue, to_raw_value};
use tokio::task::JoinSet;

use crate::background::Background;
use crate::front::PlainDoor;
use crate::{Built, Context, FrontFactory, Local, Page, RunError, Service, Settings, revocations, wait};

/// A service, put together.
pub(crate) struct Assembled {
    pub(crate) service: Service,
    pub(crate) handle: Arc<ServiceHandle>,
    pub(crate) built: Built,
}

pub(crate) fn schema(what: &str, error: &dyn std::fmt::Display) -> RunError {
    RunError::Schema(format!("{what}: {error}"))
}

/// Opens the service's database, checks its migrations and builds it.
pub(crate) async fn assemble(service: Service, base: &Context) -> Result<Assembled, RunError> {
    let mut context = base.clone();
    context.service = service.name;
    if service.has_database {
        let db = Db::new(&base.settings.database, service.name).map_err(|e| schema("database", &e))?;
        wait::for_database(&db, &base.stop).await;
        let migrations = crate::migrations(&service);
        let missing = wait::patiently(&base.stop, DbError::is_transient, || {
            parlour_db::pending(&db, &migrations)
        });
        let missing = missing.await.map_err(|e| schema("database", &e))?;
        if !missing.is_empty() {
            return Err(RunError::Schema(format!(
                "{} has migrations that have not run ({}); run `parlour migrate` first",
                service.name,
                missing.join(", ")
            )));
        }
        context.db = Some(db);
    }
    let shown = service.health.unwrap_or(service.name);
    base.readiness.add(shown, context.db.clone());
    let db = context.db.clone();
    let built = (service.build)(context).await.map_err(|error| RunError::Build {
        service: service.name,
        cause: format!("{error:#}"),
    })?;
    if let Some(consumer) = &built.consumer {
        base.readiness.needs_queue(shown, consumer.stands());
    }
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

/// The process's verifier: identity's own if it is here, else one that asks it over the network.
pub(crate) fn make_verifier(
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

/// Where the process listens and what answers there.
pub(crate) struct Doors {
    pub(crate) listen: SocketAddr,
    pub(crate) internal_listen: SocketAddr,
    pub(crate) tls: Option<rustls::ServerConfig>,
    pub(crate) make: crate::front::MakeFront,
}

fn document(service: &'static str, routes: &Routes) -> Result<Box<RawValue>, RunError> {
    let document = parlour_http::document(service, crate::VERSION, routes);
    to_raw_value(&document).map_err(|error| RunError::Build {
        service,
        cause: format!("its document: {error}"),
    })
}

/// What listens: doors, what is behind them, what operators see.
pub(crate) type Opened = (Vec<Doors>, Arc<Local>, Vec<Page>);

/// Gathers the routes, starts what runs beside them, and chooses the front.
pub(crate) fn open_doors(
    assembled: Vec<Assembled>,
    settings: &Settings,
    base: &Context,
    verifier: &Arc<Verifier>,
    background: &mut Background,
) -> Result<Opened, RunError> {
    let mut public: Vec<(Routes, Arc<ServiceHandle>)> = Vec::new();
    let mut private = Vec::new();
    let (mut documents, mut pages) = (Vec::new(), Vec::new());
    let mut front: Option<FrontFactory> = None;
    for Assembled {
        service,
        handle,
        built,
    } in assembled
    {
        let routes = (service.routes)();
        documents.push((service.name, document(service.name, &routes)?));
        public.push((routes, handle.clone()));
        private.push((built.internal, handle.clone()));
        front = front.or(built.front);
        pages.extend(built.pages);
        if let Some(db) = &handle.db {
            background.relay(db, built.events_wait, base);
            background.start(db, built.consumer, built.jobs, base);
        }
        for task in built.tasks {
            background.tasks.spawn(task);
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
    let plain = plain_doors(settings, Arc::new(private));
    let doors = match front {
        None => vec![plain],
        Some(front) => {
            let front = Doors {
                listen: front.listen,
                internal_listen: front.internal_listen,
                tls: front.tls,
                make: front.make,
            };
            // Services that run elsewhere ask those of this process behind a door of their own.
            if settings.http.beside_gateway {
                vec![front, plain]
            } else {
                vec![front]
            }
        }
    };
    Ok((doors, local, pages))
}

/// The door for gateways and services in other processes.
fn plain_doors(settings: &Settings, internal: Arc<Router>) -> Doors {
    let key = settings.internal.clone();
    Doors {
        listen: settings.http.listen,
        internal_listen: settings.http.internal_listen,
        tls: None,
        make: Arc::new(move |_| {
            std::rc::Rc::new(PlainDoor {
                key: key.clone(),
                internal: internal.clone(),
            })
        }),
    }
}
