//! How an app is put together.

use parlour_chassis::{Clock, Service};
use parlour_config::Layers;
use serde::Serialize;
use tempfile::TempDir;

use super::{App, Proxies};
use crate::overrides::Overrides;
use crate::replica::Replica;
use crate::{Client, Database, FaultProxy, Vhost, logs};

/// Where no broker is. Nothing listens on port 1, so that a connection is refused at once.
const NO_BROKER: &str = "amqp://127.0.0.1:1/none";

/// An [`App`] to be.
#[must_use = "nothing runs before `start`"]
pub struct AppBuilder {
    services: Vec<Service>,
    replicas: usize,
    with_vhost: bool,
    with_faults: bool,
    vhost: Option<Vhost>,
    database: Option<Database>,
    overrides: Overrides,
    clock: Clock,
}

impl AppBuilder {
    pub(super) fn new(services: &[Service]) -> Self {
        Self {
            services: services.to_vec(),
            replicas: 1,
            with_vhost: false,
            with_faults: false,
            vhost: None,
            database: None,
            overrides: Overrides::for_tests(),
            clock: Clock::system(),
        }
    }

    /// This many processes on one database.
    pub fn replicas(mut self, number: usize) -> Self {
        self.replicas = number;
        self
    }

    /// With a vhost of its own. It starts when every consumer has its queue.
    pub fn with_vhost(mut self) -> Self {
        self.with_vhost = true;
        self
    }

    /// In this vhost.
    pub fn in_vhost(mut self, vhost: Vhost) -> Self {
        self.vhost = Some(vhost);
        self
    }

    /// On this database, in which the services' migrations have run.
    pub fn on(mut self, database: Database) -> Self {
        self.database = Some(database);
        self
    }

    /// By this clock; see [`Clock::manual`].
    pub fn clock(mut self, clock: Clock) -> Self {
        self.clock = clock;
        self
    }

    /// With another value of the configuration: a number, a text, a list, or an
    /// object for everything below `key`.
    ///
    /// Tests start from limits that no test reaches; a test of limits sets its own.
    pub fn set(mut self, key: &str, value: impl Serialize) -> Self {
        self.overrides.set(key, value);
        self
    }

    /// With a [`FaultProxy`] before the database, and before the broker if there is a vhost.
    pub fn with_faults(mut self) -> Self {
        self.with_faults = true;
        self
    }

    /// Starts it.
    pub async fn start(mut self) -> App {
        logs::init();
        let database = match self.database.take() {
            Some(database) => database,
            None => Database::of(&self.services).await,
        };
        let vhost = match self.vhost.take() {
            None if self.with_vhost => Some(Vhost::create().await),
            given => given,
        };
        let proxies = if self.with_faults {
            Some(Proxies::before(&database, vhost.as_ref()).await)
        } else {
            None
        };
        let outbox = TempDir::new().expect("there is a place for temporary files");
        let mut engines = addresses(&database, vhost.as_ref(), proxies.as_ref());
        engines.set("development.outbox", outbox.path());
        if self.services.iter().any(|service| service.name == "media") {
            let folder = outbox.path().join("media");
            engines.set("media.storage.url", format!("file:{}", folder.display()));
        }
        let layers = self.layers(engines);
        let mut replicas = Vec::new();
        for _ in 0..self.replicas {
            replicas.push(Replica::start(self.services.clone(), layers.clone(), self.clock.clone()).await);
        }
        if let Some(vhost) = &vhost {
            // What is published before a queue stands is not for it.
            let consumers: Vec<&'static str> =
                replicas.iter().flat_map(Replica::consumers).copied().collect();
            for service in consumers {
                vhost.consumed(&parlour_events::queue(service)).await;
            }
        }
        let client = Client::new(replicas.first().expect("an app has a process").address);
        App {
            replicas,
            client,
            proxies,
            vhost,
            database,
            outbox,
            services: self.services,
            layers,
            clock: self.clock,
        }
    }

    fn layers(&self, mut values: Overrides) -> Layers {
        if self.services.iter().any(|service| service.name == "gateway") {
            values.set("gateway.listen", "127.0.0.1:0");
            values.set("gateway.internal_listen", "127.0.0.1:0");
        }
        if self.services.iter().any(|service| service.name == "chat") {
            values.set("chat.sockets.listen", "127.0.0.1:0");
        }
        values.merge(&self.overrides);
        let toml = values.to_toml();
        let mut defaults = vec![parlour_chassis::DEFAULTS];
        defaults.extend(self.services.iter().map(|service| service.defaults));
        defaults.push(&toml);
        Layers::fixed(&defaults, &[]).unwrap_or_else(|error| panic!("{error}\n{toml}"))
    }
}

impl Proxies {
    async fn before(database: &Database, vhost: Option<&Vhost>) -> Self {
        Self {
            database: FaultProxy::to(database.address()).await,
            broker: match vhost {
                Some(vhost) => Some(FaultProxy::to(vhost.address()).await),
                None => None,
            },
        }
    }
}

fn addresses(database: &Database, vhost: Option<&Vhost>, proxies: Option<&Proxies>) -> Overrides {
    let mut values = Overrides::default();
    values.set(
        "database.url",
        database.url(proxies.map(|all| all.database.address())),
    );
    if let Some(vhost) = vhost {
        let through = proxies
            .and_then(|all| all.broker.as_ref())
            .map(FaultProxy::address);
        values.set("broker.url", vhost.url(through));
    } else {
        values.set("broker.url", NO_BROKER);
        // There is nowhere to flush to, and no need to wait for that at the end.
        values.set("relay.flush_ms", 0);
    }
    values
}
