//! `[chat.sockets]`

use std::net::SocketAddr;
use std::time::Duration;

use parlour_sockets::Settings;
use serde::Deserialize;

/// How connections are held; `config.default.toml` says what each value means.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "config.default.toml documents them")]
pub struct SocketSettings {
    pub listen: SocketAddr,
    pub connections: usize,
    pub ping_interval_ms: u64,
    pub ping_timeout_ms: u64,
    pub queue: usize,
    pub stalled_seconds: u64,
    pub seat_seconds: u64,
    pub resync_seconds: u64,
    pub typing_seconds: u64,
}

/// The largest thing a client may say, in bytes: a message of 4,000 characters with its
/// metadata, every character escaped.
const PAYLOAD_BYTES: usize = 64 * 1024;

impl SocketSettings {
    /// As the listener takes them.
    pub fn listener(&self) -> Settings {
        Settings {
            listen: self.listen,
            most: self.connections,
            ping_interval: Duration::from_millis(self.ping_interval_ms),
            ping_timeout: Duration::from_millis(self.ping_timeout_ms),
            queue: self.queue,
            payload_bytes: PAYLOAD_BYTES,
            stalled: Duration::from_secs(self.stalled_seconds),
            connect_timeout: None,
        }
    }

    /// What cannot be used.
    pub fn problems(&self) -> Vec<String> {
        let fine = [
            (
                (1..=1_000_000).contains(&self.connections),
                "connections must be from 1 to 1000000",
            ),
            (
                (100..=300_000).contains(&self.ping_interval_ms),
                "ping_interval_ms must be from 100 to 300000",
            ),
            (
                (100..=300_000).contains(&self.ping_timeout_ms),
                "ping_timeout_ms must be from 100 to 300000",
            ),
            ((16..=4096).contains(&self.queue), "queue must be from 16 to 4096"),
            (
                (1..=600).contains(&self.stalled_seconds),
                "stalled_seconds must be from 1 to 600",
            ),
            (
                (10..=86_400).contains(&self.seat_seconds),
                "seat_seconds must be from 10 to 86400",
            ),
            (
                (1..=300).contains(&self.resync_seconds),
                "resync_seconds must be from 1 to 300",
            ),
            (
                (1..=60).contains(&self.typing_seconds),
                "typing_seconds must be from 1 to 60",
            ),
        ];
        let wrong = fine.iter().filter(|(fine, _)| !fine);
        wrong.map(|(_, problem)| format!("sockets.{problem}")).collect()
    }
}
