//! Services that run in the test's process.

mod builder;

use std::path::Path;

use parlour_chassis::{Clock, Service};
use parlour_config::Layers;
use parlour_contracts::Event;
use reqwest::Method;
use tempfile::TempDir;

use crate::replica::Replica;
use crate::{Client, Database, FaultProxy, Request, Vhost};

pub use builder::AppBuilder;

/// What stands between the services and their engines.
struct Proxies {
    database: FaultProxy,
    broker: Option<FaultProxy>,
}

/// Services on a database of their own, in one or more processes, and a client of the first.
///
/// Without a vhost there is no broker at all: events stay in the outbox, and
/// nothing of one test is ever seen by another.
pub struct App {
    // In the order in which they have to end.
    replicas: Vec<Replica>,
    client: Client,
    proxies: Option<Proxies>,
    vhost: Option<Vhost>,
    database: Database,
    /// Where mails land.
    outbox: TempDir,
    services: Vec<Service>,
    layers: Layers,
    clock: Clock,
}

impl App {
    /// `services` in one process, on a fresh database, without a broker.
    pub async fn start(services: &[Service]) -> Self {
        Self::of(services).start().await
    }

    /// `services`, to be set up further.
    pub fn of(services: &[Service]) -> AppBuilder {
        AppBuilder::new(services)
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

    /// A client of the first process's probes, metrics and pages for operators.
    pub fn internal(&self) -> Client {
        self.internal_of(0)
    }

    /// The same of the process with this number, from 0.
    pub fn internal_of(&self, number: usize) -> Client {
        let replica = self.replicas.get(number).expect("there are that many replicas");
        Client::new(replica.internal_address)
    }

    /// The database.
    pub fn database(&self) -> &Database {
        &self.database
    }

    /// The vhost, which was asked for.
    pub fn vhost(&self) -> &Vhost {
        self.vhost.as_ref().expect("the app was started with a vhost")
    }

    /// The network between the services and the database; with [`AppBuilder::with_faults`].
    pub fn database_line(&self) -> &FaultProxy {
        &self
            .proxies
            .as_ref()
            .expect("the app was started with faults")
            .database
    }

    /// The network between the services and the broker; with [`AppBuilder::with_faults`] and a vhost.
    pub fn broker_line(&self) -> &FaultProxy {
        let proxies = self.proxies.as_ref().expect("the app was started with faults");
        proxies.broker.as_ref().expect("the app was started with a vhost")
    }

    /// The configuration that its processes run with.
    pub fn layers(&self) -> &Layers {
        &self.layers
    }

    /// The folder where development's mails and messages land.
    pub fn outbox(&self) -> &Path {
        self.outbox.path()
    }

    /// The services.
    pub fn services(&self) -> &[Service] {
        &self.services
    }

    /// Runs the job `name` of `service` once, in the first process, without waiting for its time.
    pub async fn run_job(&self, service: &str, name: &str) {
        self.replicas
            .first()
            .expect("the app runs")
            .run_job(service, name)
            .await;
    }

    /// The events of type `E` that `service` wrote to its outbox, in the order of their
    /// commits, whether or not there is a broker.
    pub async fn published<E: Event>(&self, service: &str) -> Vec<E> {
        let sql = format!("SELECT payload FROM {service}.outbox WHERE type = $1 ORDER BY seq");
        let rows = self
            .database
            .admin()
            .await
            .query(&sql, &[&E::TYPE])
            .await
            .expect("the outbox can be read");
        rows.iter()
            .map(|row| E::decode(row.get::<_, &[u8]>(0)).expect("an event of its type"))
            .collect()
    }

    /// Stops the process with this number in an orderly way.
    pub fn stop(&mut self, number: usize) {
        self.replicas
            .get_mut(number)
            .expect("there are that many replicas")
            .stop();
    }

    /// Starts all processes again that do not run, with the same configuration and
    /// secrets; they have new addresses.
    pub async fn restart(&mut self) {
        for replica in &mut self.replicas {
            if !replica.is_running() {
                let (layers, clock) = (self.layers.clone(), self.clock.clone());
                *replica = Replica::start(self.services.clone(), layers, clock).await;
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
