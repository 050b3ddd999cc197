//! The migrated database that every test's own is copied from.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use parlour_chassis::Service;
use tokio_postgres::Client;
use tokio_postgres::error::SqlState;

use crate::database::Server;
use crate::{engines, fingerprint};

/// The first part of every template's name.
const PREFIX: &str = "parlour_template_";

/// One template: for a set of services, at the state of their migrations.
pub(crate) struct Template {
    services: Vec<Service>,
    /// What templates of the same services, but other migrations, begin with too.
    set: String,
    name: String,
}

impl Template {
    /// The template for those of `services` that have a database.
    pub(crate) fn of(services: &[Service]) -> Self {
        let mut services: Vec<Service> = services.iter().filter(|s| s.has_database).copied().collect();
        services.sort_by_key(|service| service.name);
        let (mut names, mut contents) = (DefaultHasher::new(), DefaultHasher::new());
        for service in &services {
            service.name.hash(&mut names);
            fingerprint::of(service).hash(&mut contents);
        }
        let set = format!("{PREFIX}{:016x}_", names.finish());
        let name = format!("{set}{:016x}", contents.finish());
        Self { services, set, name }
    }

    /// Makes `database` a copy; the template itself first, where it is missing.
    pub(crate) async fn copy_to(&self, server: &Server, database: &str) {
        let admin = engines::connect(server.url()).await;
        let create = format!(
            "CREATE DATABASE {database} TEMPLATE {}{}",
            self.name,
            quickest(&admin).await
        );
        for _ in 0..5 {
            match admin.batch_execute(&create).await {
                Ok(()) => return,
                // Missing, or outdated in the eyes of another version of the tests, which dropped it.
                Err(error) if error.code() == Some(&SqlState::INVALID_CATALOG_NAME) => {
                    self.make(server).await;
                }
                Err(error) => panic!("{create}: {error}"),
            }
        }
        panic!(
            "the template {} is dropped by somebody else as often as it is made",
            self.name
        );
    }

    async fn make(&self, server: &Server) {
        let guard = ClusterLock::take(server).await;
        let admin = guard.client();
        // One that begins with the name is a half that a failed migration left behind.
        if databases(admin, &self.name).await.contains(&self.name) {
            return;
        }
        let half = format!("{}_half", self.name);
        drop_quietly(admin, &half).await;
        run(admin, &format!("CREATE DATABASE {half}")).await;
        server.migrate(admin, &half, &self.services).await;
        // Nobody may be connected to what is copied, autovacuum included.
        run(
            admin,
            &format!("ALTER DATABASE {half} WITH ALLOW_CONNECTIONS false"),
        )
        .await;
        run(admin, &format!("ALTER DATABASE {half} RENAME TO {}", self.name)).await;
        for outdated in databases(admin, &self.set).await {
            if outdated != self.name {
                drop_quietly(admin, &outdated).await;
            }
        }
    }
}

/// Keeps others from making roles, which are of the whole cluster, and templates.
pub(crate) struct ClusterLock(Client);

impl ClusterLock {
    /// Waits until it is free. It ends with this value, or with the process.
    pub(crate) async fn take(server: &Server) -> Self {
        let client = engines::connect(server.url()).await;
        run(&client, "SELECT pg_advisory_lock(hashtext('parlour.testkit'))").await;
        Self(client)
    }

    /// The session that holds it, with the maintenance database.
    pub(crate) fn client(&self) -> &Client {
        &self.0
    }
}

/// Measured with 100 tables: 71 ms against 80 by the write-ahead log, which is the default since 15.
async fn quickest(admin: &Client) -> &'static str {
    let row = admin
        .query_one("SELECT current_setting('server_version_num')::int", &[])
        .await;
    let version: i32 = row.expect("PostgreSQL tells its version").get(0);
    if version >= 150_000 {
        " STRATEGY FILE_COPY"
    } else {
        ""
    }
}

/// The names of databases that begin with `prefix`.
pub(crate) async fn databases(admin: &Client, prefix: &str) -> Vec<String> {
    let sql = "SELECT datname FROM pg_database WHERE starts_with(datname, $1) ORDER BY 1";
    let rows = admin
        .query(sql, &[&prefix])
        .await
        .expect("databases can be listed");
    rows.iter().map(|row| row.get(0)).collect()
}

/// Drops a database; one that is gone, or that somebody is copying, is not worth a word.
pub(crate) async fn drop_quietly(admin: &Client, database: &str) {
    drop(
        admin
            .batch_execute(&format!("DROP DATABASE IF EXISTS {database} WITH (FORCE)"))
            .await,
    );
}

pub(crate) async fn run(admin: &Client, sql: &str) {
    admin
        .batch_execute(sql)
        .await
        .unwrap_or_else(|error| panic!("{sql}: {error}"));
}
