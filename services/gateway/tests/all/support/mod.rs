//! A gateway, services behind it, and clients that behave and that do not.

pub(crate) mod authority;
pub(crate) mod echo;
pub(crate) mod orders;
pub(crate) mod raw;

use std::net::SocketAddr;

use parlour_chassis::{DEFAULTS, Process, Service};
use parlour_config::Layers;

const FIXED: &[(&str, &str)] = &[
    ("http.listen", "127.0.0.1:0"),
    ("http.internal_listen", "127.0.0.1:0"),
    ("http.workers", "2"),
    ("http.drain_seconds", "0"),
    ("http.grace_seconds", "2"),
    ("gateway.listen", "127.0.0.1:0"),
    ("gateway.internal_listen", "127.0.0.1:0"),
    ("gateway.probe.every_ms", "100"),
    // Whoever has sockets in a test says where.
    ("gateway.upstreams.sockets", ""),
    ("internal.key", "an internal key that is only for tests"),
    ("vault.active", "test"),
    ("vault.keys.test", "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="),
    ("vault.index_key", "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="),
    ("contacts.active", "test"),
    (
        "contacts.keys.test",
        "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=",
    ),
    (
        "contacts.index_key",
        "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=",
    ),
    // Nothing listens there: neither the gateway nor these services need a broker.
    ("broker.url", "amqp://127.0.0.1:9/%2f"),
];

/// Starts a process with `services` and the keeper of the test's keys.
pub(crate) async fn start(services: &[Service], settings: &[(&str, &str)]) -> Process {
    let mut all = vec![authority::service()];
    all.extend_from_slice(services);
    let mut defaults = vec![DEFAULTS];
    defaults.extend(all.iter().map(|service| service.defaults));
    let settings = [FIXED, settings].concat();
    let known: Vec<(&str, &str)> = settings
        .into_iter()
        .filter(|(key, _)| !key.starts_with("gateway.") || services.iter().any(|s| s.name == "gateway"))
        .collect();
    let layers = Layers::fixed(&defaults, &known).unwrap();
    Process::start(&all, layers, None).await.unwrap()
}

/// A gateway in front of services elsewhere.
pub(crate) async fn gateway(settings: &[(&str, &str)]) -> Process {
    start(&[parlour_gateway::service()], settings).await
}

/// A gateway in front of one service.
pub(crate) async fn gateway_to(service: &str, upstream: SocketAddr) -> Process {
    let key = format!("gateway.upstreams.{service}");
    gateway(&[(&key, &url(upstream))]).await
}

pub(crate) fn url(address: SocketAddr) -> String {
    format!("http://{address}")
}

pub(crate) fn at(process: &Process, path: &str) -> String {
    format!("http://{}{path}", process.address)
}

/// A client that does not keep cookies, does not follow, and waits for half a minute.
pub(crate) fn client() -> reqwest::Client {
    reqwest::Client::builder()
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .timeout(std::time::Duration::from_secs(30))
        .build()
        .unwrap()
}

pub(crate) async fn get(process: &Process, path: &str) -> reqwest::Response {
    client().get(at(process, path)).send().await.unwrap()
}

/// Waits until `condition` holds, for at most ten seconds.
pub(crate) async fn until<F: AsyncFnMut() -> bool>(what: &str, mut condition: F) {
    for _ in 0..200 {
        if condition().await {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    panic!("{what} did not happen");
}

/// The whole of this process that is in memory, in bytes.
pub(crate) fn resident() -> u64 {
    let pages = std::fs::read_to_string("/proc/self/statm").unwrap();
    pages.split(' ').nth(1).unwrap().parse::<u64>().unwrap() * 4096
}
