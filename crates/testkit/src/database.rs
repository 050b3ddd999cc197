//! A database for one test.

use std::net::SocketAddr;

use parlour_chassis::Service;
use parlour_db::{Db, Settings};
use tokio::sync::OnceCell;
use tokio_postgres::Client;
use url::Url;

use crate::template::{ClusterLock, Template, databases, drop_quietly, run};
use crate::{blocking, engines};

/// The first part of every test database's name.
const PREFIX: &str = "parlour_test_";

/// A PostgreSQL database that one test has to itself, with the schemas of its
/// services. It is dropped with this value, also when the test panicked.
pub struct Database {
    server: Server,
    name: String,
}

impl Database {
    /// A database in which all migrations of `services` have run: a copy of a
    /// template, which is made by the first test that needs it.
    pub async fn of(services: &[Service]) -> Self {
        let database = Self::unmade().await;
        Template::of(services)
            .copy_to(&database.server, &database.name)
            .await;
        database
    }

    /// A database with nothing in it.
    pub async fn empty() -> Self {
        let database = Self::unmade().await;
        let admin = engines::connect(database.server.url()).await;
        run(&admin, &format!("CREATE DATABASE {}", database.name)).await;
        database
    }

    async fn unmade() -> Self {
        let server = Server::new();
        sweep(&server).await;
        Self {
            server,
            name: engines::unique_name(PREFIX),
        }
    }

    /// Its name on the server.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// How services reach it, as `[database]` would say.
    pub fn settings(&self) -> Settings {
        self.server.settings(&self.name)
    }

    /// The address that services use, with `{service}` in the place of their name;
    /// `through` is a [`FaultProxy`](crate::FaultProxy) that they use it through.
    pub fn url(&self, through: Option<SocketAddr>) -> String {
        self.server.runtime_url(&self.name, through)
    }

    /// Where the server listens: what a [`FaultProxy`](crate::FaultProxy) leads to.
    pub fn address(&self) -> String {
        let url = self.server.url();
        format!(
            "{}:{}",
            url.host_str().unwrap_or("127.0.0.1"),
            url.port().unwrap_or(5432)
        )
    }

    /// A pool of `service`'s own role, which row-level security holds for.
    pub fn db(&self, service: &'static str) -> Db {
        Db::new(&self.settings(), service).expect("the settings of a test database are good")
    }

    /// A session of the administrator, whom nothing is hidden from.
    pub async fn admin(&self) -> Client {
        engines::connect(&self.server.url_of(&self.name)).await
    }

    /// Keeps other tests from making roles while this one does.
    pub(crate) async fn cluster_lock(&self) -> ClusterLock {
        ClusterLock::take(&self.server).await
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        if std::thread::panicking() && std::env::var_os("PARLOUR_TEST_KEEP").is_some() {
            eprintln!("the database {} is kept", self.name);
            return;
        }
        let (url, name) = (self.server.url().clone(), self.name.clone());
        blocking::run(async move { drop_quietly(&engines::connect(&url).await, &name).await });
    }
}

/// The PostgreSQL of the tests.
pub(crate) struct Server(Url);

impl Server {
    fn new() -> Self {
        Self(engines::postgres())
    }

    /// The administrator's address of the maintenance database.
    pub(crate) fn url(&self) -> &Url {
        &self.0
    }

    fn url_of(&self, database: &str) -> Url {
        let mut url = self.0.clone();
        url.set_path(database);
        url
    }

    /// The runtime roles have the administrator's password: it is secret enough,
    /// and every test process knows it.
    fn password(&self) -> &str {
        self.0.password().unwrap_or("parlour")
    }

    fn runtime_url(&self, database: &str, through: Option<SocketAddr>) -> String {
        let mut url = self.url_of(database);
        let password = self.password().to_owned();
        url.set_username("parlour_SERVICE")
            .expect("the address has a host");
        url.set_password(Some(&password)).expect("the address has a host");
        if let Some(proxy) = through {
            url.set_ip_host(proxy.ip()).expect("the address has a host");
            url.set_port(Some(proxy.port())).expect("the address has a host");
        }
        url.as_str().replace("SERVICE", "{service}")
    }

    fn settings(&self, database: &str) -> Settings {
        Settings {
            url: self.runtime_url(database, None).into(),
            urls: std::collections::BTreeMap::default(),
            migration_url: Some(self.url_of(database).to_string().into()),
            ca: None,
            pool_size: 4,
            acquire_timeout_ms: 5_000,
            statement_timeout_ms: 15_000,
            lock_timeout_ms: 5_000,
        }
    }

    /// Runs all migrations of `services` in `database`. Only under the cluster's lock.
    pub(crate) async fn migrate(&self, admin: &Client, database: &str, services: &[Service]) {
        let settings = self.settings(database);
        for service in services {
            parlour_db::migrate(&settings, service.name, parlour_chassis::migrations(service))
                .await
                .unwrap_or_else(|error| panic!("{}: {error}", service.name));
            // The role may be older than this server's password.
            let password = self.password().replace('\'', "''");
            run(
                admin,
                &format!("ALTER ROLE parlour_{} PASSWORD '{password}'", service.name),
            )
            .await;
        }
    }
}

/// Drops what killed runs left behind, once in a process.
async fn sweep(server: &Server) {
    static SWEPT: OnceCell<()> = OnceCell::const_new();
    SWEPT
        .get_or_init(async || {
            let admin = engines::connect(server.url()).await;
            for name in databases(&admin, PREFIX).await {
                if engines::is_leftover(&name, PREFIX) {
                    drop_quietly(&admin, &name).await;
                }
            }
        })
        .await;
}
