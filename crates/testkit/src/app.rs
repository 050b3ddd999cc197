//! Services that run in the test's process.

use std::path::Path;

use parlour_chassis::Service;
use parlour_config::Layers;
use reqwest::Method;
use serde::Serialize;
use tempfile::TempDir;

use crate::overrides::Overrides;
use crate::replica::Replica;
use crate::{Client, Database, Request, Vhost, logs};

/// Where no broker is. Nothing listens on port 1, so that a connection is refused at once.
const NO_BROKER: &str = "amqp://127.0.0.1:1/none";

/// Services on a database of their own, in one or more processes, and a client of the first.
///
/// Without a vhost there is no broker at all: events stay in the outbox, and
/// nothing of one test is ever seen by another.
pub struct App {
    // In the order in which they have to end.
    replicas: Vec<Replica>,
    client: Client,
    vhost: Option<Vhost>,
    database: Database,
    /// Where mails land.
    outbox: TempDir,
    services: Vec<Service>,
    layers: Layers,
}

impl App {
    /// `services` in one process, on a fresh database, without a broker.
    pub async fn start(services: &[Service]) -> Self {
        Self::of(services).start().await
    }

    /// `services`, to be set up further.
    pub fn of(services: &[Service]) -> AppBuilder {
        AppBuilder {
            services: services.to_vec(),
            replicas: 1,
            with_vhost: false,
            vhost: None,
            database: None,
            overrides: Overrides::for_tests(),
        }
    }

    /// A client of the first process, with no token.
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// A client of the process with this number, from 0.
    pub fn replica(&self, number: usize) -> Client {
        let replica = self.replicas.get(number).expect("there are that many replicas");
        Client::new(replica.address)
    }

    /// A client of the first process's probes and metrics.
    pub fn internal(&self) -> Client {
        let first = self.replicas.first().expect("the app runs");
        Client::new(first.internal_address)
    }

    /// The database.
    pub fn database(&self) -> &Database {
        &self.database
    }

    /// The vhost, which was asked for.
    pub fn vhost(&self) -> &Vhost {
        self.vhost.as_ref().expect("the app was started with a vhost")
    }

    /// The folder where development's mails and messages land.
    pub fn outbox(&self) -> &Path {
        self.outbox.path()
    }

    /// The services.
    pub fn services(&self) -> &[Service] {
        &self.services
    }

    /// Stops the process with this number in an orderly way.
    pub fn stop(&mut self, number: usize) {
        self.replicas.get_mut(number).expect("there are that many replicas").stop();
    }

    /// Ends the process with this number where it stands, without a goodbye to anybody.
    pub fn kill(&mut self, number: usize) {
        self.replicas.get_mut(number).expect("there are that many replicas").kill();
    }

    /// Starts all processes again that do not run, with the same configuration and
    /// secrets; they have new addresses.
    pub async fn restart(&mut self) {
        for replica in &mut self.replicas {
            if !replica.is_running() {
                *replica = Replica::start(self.services.clone(), self.layers.clone()).await;
            }
        }
        self.client = self.replica(0);
    }

    /// `GET path` by nobody.
    pub fn get(&self, path: &str) -> Request {
        self.client.get(path)
    }

    /// `POST path` by nobody.
    pub fn post(&self, path: &str) -> Request {
        self.client.post(path)
    }

    /// `PUT path` by nobody.
    pub fn put(&self, path: &str) -> Request {
        self.client.put(path)
    }

    /// `PATCH path` by nobody.
    pub fn patch(&self, path: &str) -> Request {
        self.client.patch(path)
    }

    /// `DELETE path` by nobody.
    pub fn delete(&self, path: &str) -> Request {
        self.client.delete(path)
    }

    /// Any request by nobody.
    pub fn request(&self, method: &Method, path: &str) -> Request {
        self.client.request(method, path)
    }
}

/// An [`App`] to be.
#[must_use = "nothing runs before `start`"]
pub struct AppBuilder {
    services: Vec<Service>,
    replicas: usize,
    with_vhost: bool,
    vhost: Option<Vhost>,
    database: Option<Database>,
    overrides: Overrides,
}

impl AppBuilder {
    /// This many processes on one database.
    pub fn replicas(mut self, number: usize) -> Self {
        self.replicas = number;
        self
    }

    /// With a vhost of its own.
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

    /// With another value of the configuration: a number, a text, a list, or an
    /// object for everything below `key`.
    ///
    /// Tests start from limits that no test reaches; a test of limits sets its own.
    pub fn set(mut self, key: &str, value: impl Serialize) -> Self {
        self.overrides.set(key, value);
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
        let outbox = TempDir::new().expect("there is a place for temporary files");
        let layers = self.layers(&database, vhost.as_ref(), outbox.path());
        let mut replicas = Vec::new();
        for _ in 0..self.replicas {
            replicas.push(Replica::start(self.services.clone(), layers.clone()).await);
        }
        let client = Client::new(replicas.first().expect("an app has a process").address);
        App { replicas, client, vhost, database, outbox, services: self.services, layers }
    }

    fn layers(&self, database: &Database, vhost: Option<&Vhost>, outbox: &Path) -> Layers {
        let mut engines = Overrides::default();
        engines.set("database.url", database.url(None));
        engines.set("development.outbox", outbox);
        if let Some(vhost) = vhost {
            engines.set("broker.url", vhost.url(None));
        } else {
            engines.set("broker.url", NO_BROKER);
            // There is nowhere to flush to, and no need to wait for that at the end.
            engines.set("relay.flush_ms", 0);
        }
        if self.services.iter().any(|service| service.name == "gateway") {
            engines.set("gateway.listen", "127.0.0.1:0");
            engines.set("gateway.internal_listen", "127.0.0.1:0");
        }
        engines.merge(&self.overrides);
        let toml = engines.to_toml();
        let mut defaults = vec![parlour_chassis::DEFAULTS];
        defaults.extend(self.services.iter().map(|service| service.defaults));
        defaults.push(&toml);
        Layers::fixed(&defaults, &[]).unwrap_or_else(|error| panic!("{error}\n{toml}"))
    }
}
