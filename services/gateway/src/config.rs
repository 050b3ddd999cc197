//! `[gateway]`

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use parlour_config::{Environment, Part};
use serde::{Deserialize, Deserializer};
use url::Url;

/// Everything that can be set about the gateway; `config.default.toml` explains each value.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Settings {
    pub(crate) listen: SocketAddr,
    pub(crate) internal_listen: SocketAddr,
    pub(crate) public_url: String,
    pub(crate) replicas: u32,
    pub(crate) demo_client: PathBuf,
    pub(crate) tls: TlsSettings,
    pub(crate) cors: CorsSettings,
    pub(crate) caps: CapSettings,
    pub(crate) timeouts: Timeouts,
    pub(crate) probe: ProbeSettings,
    #[serde(default)]
    pub(crate) upstreams: BTreeMap<String, Listed>,
    pub(crate) prefixes: BTreeMap<String, Listed>,
    #[serde(default)]
    pub(crate) health: BTreeMap<String, Listed>,
}

/// `[gateway.tls]`
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct TlsSettings {
    pub(crate) certificate: PathBuf,
    pub(crate) key: PathBuf,
}

impl TlsSettings {
    /// Whether connections are encrypted here.
    pub(crate) fn is_on(&self) -> bool {
        !self.certificate.as_os_str().is_empty()
    }
}

/// `[gateway.cors]`
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct CorsSettings {
    pub(crate) origins: Listed,
    pub(crate) max_age_seconds: u32,
}

/// `[gateway.caps]`
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct CapSettings {
    pub(crate) requests: usize,
    pub(crate) requests_per_address: usize,
    pub(crate) tunnels: usize,
    pub(crate) tunnels_per_address: usize,
    pub(crate) body_bytes: u64,
    pub(crate) line_bytes: usize,
    pub(crate) head_bytes: usize,
    pub(crate) rate_keys: usize,
    pub(crate) sticky_sessions: usize,
}

/// `[gateway.timeouts]`
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Timeouts {
    #[serde(rename = "connect_ms", deserialize_with = "milliseconds")]
    pub(crate) connect: Duration,
    #[serde(rename = "first_byte_ms", deserialize_with = "milliseconds")]
    pub(crate) first_byte: Duration,
    #[serde(rename = "poll_ms", deserialize_with = "milliseconds")]
    pub(crate) poll: Duration,
    #[serde(rename = "idle_ms", deserialize_with = "milliseconds")]
    pub(crate) idle: Duration,
    #[serde(rename = "keep_alive_ms", deserialize_with = "milliseconds")]
    pub(crate) keep_alive: Duration,
}

/// `[gateway.probe]`
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ProbeSettings {
    #[serde(rename = "every_ms", deserialize_with = "milliseconds")]
    pub(crate) every: Duration,
    #[serde(rename = "timeout_ms", deserialize_with = "milliseconds")]
    pub(crate) timeout: Duration,
    pub(crate) resolve_seconds: u64,
    pub(crate) documents_seconds: u64,
}

/// Words, as a list or as one string with commas: an environment variable can only be a string.
#[derive(Clone, Debug, Default)]
pub(crate) struct Listed(pub(crate) Vec<String>);

impl<'de> Deserialize<'de> for Listed {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Given {
            One(String),
            Many(Vec<String>),
        }
        let words = match Given::deserialize(deserializer)? {
            Given::One(text) => text.split([',', ' ']).map(ToOwned::to_owned).collect(),
            Given::Many(words) => words,
        };
        Ok(Self(words.into_iter().filter(|word| !word.is_empty()).collect()))
    }
}

fn milliseconds<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    u64::deserialize(deserializer).map(Duration::from_millis)
}

impl Part for Settings {
    fn problems(&self, environment: Environment) -> Vec<String> {
        let mut problems = Vec::new();
        if self.replicas == 0 {
            problems.push("replicas must be at least 1".to_owned());
        }
        if self.tls.is_on() == self.tls.key.as_os_str().is_empty() {
            problems.push("tls needs both certificate and key, or none".to_owned());
        }
        if environment.is_production() && !self.demo_client.as_os_str().is_empty() {
            problems.push("demo_client must be empty: the page under /demo is for development".to_owned());
        }
        if !self.public_url.is_empty() && Url::parse(&self.public_url).is_err() {
            problems.push("public_url must be a URL, or empty".to_owned());
        }
        for origin in &self.cors.origins.0 {
            let exact = Url::parse(origin).is_ok_and(|url| url.origin().ascii_serialization() == *origin);
            let open = environment.is_production() && origin.starts_with("http://");
            if !exact || open {
                let hint = if open {
                    "https in production"
                } else {
                    "like https://app.example.com"
                };
                problems.push(format!("cors.origins: {origin:?} must be an origin {hint}"));
            }
        }
        for (service, urls) in &self.upstreams {
            for url in urls.0.iter().filter(|url| origin_of(url).is_none()) {
                problems.push(format!(
                    "upstreams.{service}: {url:?} must be like http://host:port"
                ));
            }
        }
        for (service, prefixes) in &self.prefixes {
            for prefix in prefixes
                .0
                .iter()
                .filter(|p| !p.starts_with('/') || p.ends_with('/'))
            {
                problems.push(format!(
                    "prefixes.{service}: {prefix:?} must begin with a slash and not end with one"
                ));
            }
        }
        problems
    }
}

/// Host and port of a base URL. Services are reached in plain HTTP within the cluster.
pub(crate) fn origin_of(text: &str) -> Option<(String, u16)> {
    let url = Url::parse(text).ok()?;
    let bare = url.scheme() == "http" && url.path() == "/" && url.query().is_none();
    let host = url.host_str()?.trim_matches(['[', ']']).to_owned();
    bare.then(|| Some((host, url.port_or_known_default()?)))?
}
