//! Settings and the pool.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::pool::Pool;
use crate::{DbError, Pooled, Published, tls};

/// How services reach PostgreSQL (`[database]`).
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// Address of the runtime role; `{service}` stands for the service's name.
    pub url: SecretString,
    /// Addresses of single services that live elsewhere, by service name.
    #[serde(default)]
    pub urls: BTreeMap<String, SecretString>,
    /// Address of a role that may create schemas and roles. Only `parlour migrate` uses it.
    pub migration_url: Option<SecretString>,
    /// File with the certificates (PEM) that the server's must lead to when an address says
    /// `sslmode=require`; without it the system's are trusted.
    #[serde(default)]
    pub ca: Option<PathBuf>,
    /// Connections a service holds at the most.
    pub pool_size: usize,
    /// How long a request waits for a connection, in milliseconds.
    pub acquire_timeout_ms: u64,
    /// The longest a statement may run, in milliseconds.
    pub statement_timeout_ms: u64,
    /// The longest a statement may wait for a lock, in milliseconds.
    pub lock_timeout_ms: u64,
}

impl Settings {
    /// The runtime address of `service`.
    pub fn url_of(&self, service: &str) -> SecretString {
        match self.urls.get(service) {
            Some(url) => url.clone(),
            None => self.url.expose_secret().replace("{service}", service).into(),
        }
    }
}

/// The database of one service. Cheap to clone.
#[derive(Clone)]
pub struct Db(Arc<Inner>);

/// What TLS makes of a socket.
type TlsStream = <MakeRustlsConnect as tokio_postgres::tls::MakeTlsConnect<tokio_postgres::Socket>>::Stream;

/// A connection of its own: the handle, and what has to be driven for it to work.
pub type Session = (
    tokio_postgres::Client,
    tokio_postgres::Connection<tokio_postgres::Socket, TlsStream>,
);

struct Inner {
    pool: Pool,
    config: tokio_postgres::Config,
    tls: MakeRustlsConnect,
    service: &'static str,
    published: Published,
}

impl Db {
    /// A pool for `service`. Connects when first used, so it cannot fail on a database that is away.
    pub fn new(settings: &Settings, service: &'static str) -> Result<Self, DbError> {
        let url = settings.url_of(service);
        let mut config = connection_config(&url, settings, service)?;
        let tls = tls::connector(&mut config, settings.ca.as_deref())?;
        let timeout = Duration::from_millis(settings.acquire_timeout_ms);
        let pool = Pool::new(config.clone(), tls.clone(), settings.pool_size, timeout);
        Ok(Self(Arc::new(Inner {
            pool,
            config,
            tls,
            service,
            published: Published::default(),
        })))
    }

    /// The service, which is also the name of its schema.
    pub fn service(&self) -> &'static str {
        self.0.service
    }

    /// A connection without a transaction or a caller, for single statements on
    /// tables that hold no personal rows.
    pub async fn conn(&self) -> Result<Pooled, DbError> {
        self.0.pool.get().await
    }

    pub(crate) fn pool(&self) -> &Pool {
        &self.0.pool
    }

    /// A connection outside the pool, for what lives as long as its session
    /// (advisory locks, LISTEN). Nothing happens on it unless the caller drives
    /// the second half. It notices a dead peer within seconds, not hours.
    pub async fn session(&self) -> Result<Session, DbError> {
        let mut config = self.0.config.clone();
        config
            .keepalives_idle(Duration::from_secs(5))
            .keepalives_interval(Duration::from_secs(2))
            .keepalives_retries(3)
            .tcp_user_timeout(Duration::from_secs(10));
        config
            .connect(self.0.tls.clone())
            .await
            .map_err(|e| DbError::Unavailable(reason(&e)))
    }

    /// Tells when transactions that published events have committed in this process.
    pub fn published(&self) -> &Published {
        &self.0.published
    }

    /// Whether the database answers.
    pub async fn ping(&self) -> Result<(), DbError> {
        use diesel_async::SimpleAsyncConnection;
        let mut conn = self.conn().await?;
        conn.batch_execute("SELECT 1").await?;
        Ok(())
    }

    /// Connections in use and open, for the metrics.
    pub fn pool_status(&self) -> (usize, usize) {
        self.0.pool.status()
    }
}

fn connection_config(
    url: &SecretString,
    settings: &Settings,
    service: &str,
) -> Result<tokio_postgres::Config, DbError> {
    let mut config: tokio_postgres::Config = url
        .expose_secret()
        .parse()
        .map_err(|e: tokio_postgres::Error| DbError::Unavailable(e.to_string()))?;
    config
        .application_name(format!("parlour-{service}"))
        .connect_timeout(Duration::from_millis(settings.acquire_timeout_ms))
        .options(format!(
            "-c search_path={service} -c timezone=UTC -c statement_timeout={} -c lock_timeout={} \
             -c idle_in_transaction_session_timeout=30000",
            settings.statement_timeout_ms, settings.lock_timeout_ms,
        ));
    Ok(config)
}

/// What the server said, which the error's own text leaves out.
pub(crate) fn reason(error: &tokio_postgres::Error) -> String {
    match std::error::Error::source(error) {
        Some(source) => format!("{error}: {source}"),
        None => error.to_string(),
    }
}
