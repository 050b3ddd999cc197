//! The parts of the configuration that every process reads.

use std::net::SocketAddr;

use parlour_auth::InternalKey;
use parlour_config::{ConfigError, Environment, Layers, Part};
use parlour_http::{LimitSettings, TrustedProxies};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

/// `[http]`
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HttpSettings {
    /// Where a process without the gateway listens.
    pub listen: SocketAddr,
    /// Whether a process with the gateway listens there too.
    pub beside_gateway: bool,
    /// Probes and metrics.
    pub internal_listen: SocketAddr,
    /// Threads that serve requests; 0 is one per core.
    pub workers: usize,
    /// How long a stopping process still takes requests, in seconds.
    pub drain_seconds: u64,
    /// How long what is in flight then has to finish, in seconds.
    pub grace_seconds: u64,
    /// Proxies whose `X-Forwarded-For` is believed.
    pub trusted_proxies: TrustedProxies,
}

impl Part for HttpSettings {}

/// `[auth]`
#[derive(Clone, Debug, Deserialize)]
pub struct AuthSettings {
    /// What tokens must say.
    #[serde(flatten)]
    pub tokens: parlour_auth::Settings,
    /// Where identity is, for processes that do not run it.
    pub identity_url: String,
}

impl Part for AuthSettings {}

/// `[internal]`
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InternalSettings {
    /// The secret by which the platform's processes know each other.
    pub key: SecretString,
}

impl Part for InternalSettings {
    fn problems(&self, _environment: Environment) -> Vec<String> {
        let short = self.key.expose_secret().len() < 32;
        short
            .then(|| "key must have at least 32 characters".to_owned())
            .into_iter()
            .collect()
    }
}

/// `[development]`
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct DevelopmentSettings {
    /// The folder that mails and messages land in.
    pub(crate) outbox: std::path::PathBuf,
}

impl Part for DevelopmentSettings {}

/// Everything a process reads before it builds its services.
#[derive(Clone, Debug)]
pub struct Settings {
    /// `[http]`
    pub http: HttpSettings,
    /// `[database]`
    pub database: parlour_db::Settings,
    /// `[broker]`
    pub broker: parlour_events::BrokerSettings,
    /// `[relay]`
    pub relay: parlour_events::RelaySettings,
    /// `[consumer]`
    pub consumer: parlour_events::ConsumerSettings,
    /// `[retention]`
    pub retention: parlour_events::retention::Retention,
    /// `[contacts]`: the keys of e-mail addresses and phone numbers in events.
    pub contacts: parlour_vault::Settings,
    /// `[telemetry]`
    pub telemetry: parlour_telemetry::Settings,
    /// `[auth]`
    pub auth: AuthSettings,
    /// `[limits]`
    pub limits: LimitSettings,
    /// `[vault]`
    pub vault: parlour_vault::Settings,
    /// `[internal]`
    pub internal: InternalKey,
}

/// A part that needs no check beyond its type.
#[derive(Debug, Deserialize)]
#[serde(transparent)]
struct Plain<T>(T);

impl<T: serde::de::DeserializeOwned> Part for Plain<T> {}

impl Settings {
    /// Reads and checks them.
    pub fn read(layers: &Layers) -> Result<Self, ConfigError> {
        Ok(Self {
            http: layers.part("http")?,
            database: layers.part::<Plain<_>>("database")?.0,
            broker: layers.part::<Plain<_>>("broker")?.0,
            relay: layers.part::<Plain<_>>("relay")?.0,
            consumer: layers.part::<Plain<_>>("consumer")?.0,
            retention: layers.part::<Plain<_>>("retention")?.0,
            contacts: layers.part::<Plain<_>>("contacts")?.0,
            telemetry: layers.part::<Plain<_>>("telemetry")?.0,
            auth: layers.part("auth")?,
            limits: layers.part::<Plain<_>>("limits")?.0,
            vault: layers.part::<Plain<_>>("vault")?.0,
            internal: InternalKey::new(layers.part::<InternalSettings>("internal")?.key),
        })
    }
}
