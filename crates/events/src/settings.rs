//! Settings, as the `[broker]`, `[relay]` and `[consumer]` tables give them.

use std::path::PathBuf;
use std::time::Duration;

use secrecy::SecretString;
use serde::Deserialize;

/// How services reach RabbitMQ (`[broker]`).
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BrokerSettings {
    /// `amqp://` or `amqps://` address, vhost included.
    pub url: SecretString,
    /// File with the certificates (PEM) that the server's must lead to with `amqps://`;
    /// without it the system's are trusted.
    #[serde(default)]
    pub ca: Option<PathBuf>,
    /// Seconds between heartbeats; a peer silent for two of them is dead.
    #[serde(default = "heartbeat")]
    pub heartbeat_s: u16,
    /// The longest a connection may take to come up, in milliseconds.
    #[serde(default = "connect_timeout")]
    pub connect_timeout_ms: u64,
    /// How long the log stream keeps events, such as `7D`.
    #[serde(default = "log_max_age")]
    pub log_max_age: String,
    /// How large the log stream may grow, in bytes.
    #[serde(default = "log_max_bytes")]
    pub log_max_bytes: i64,
}

fn heartbeat() -> u16 {
    10
}
fn connect_timeout() -> u64 {
    10_000
}
fn log_max_age() -> String {
    "7D".to_owned()
}
fn log_max_bytes() -> i64 {
    1 << 30
}

impl BrokerSettings {
    /// The defaults, at this address.
    pub fn at(url: impl Into<String>) -> Self {
        Self {
            url: url.into().into(),
            ca: None,
            heartbeat_s: heartbeat(),
            connect_timeout_ms: connect_timeout(),
            log_max_age: log_max_age(),
            log_max_bytes: log_max_bytes(),
        }
    }
}

/// How the outbox is relayed (`[relay]`).
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RelaySettings {
    /// Publishing channels, between which the lanes are divided.
    pub pipes: usize,
    /// Confirms in flight at the most, over all pipes.
    pub in_flight: usize,
    /// How long new events wait for others, so that they go out together, in milliseconds: 0 where somebody
    /// waits for them.
    pub gather_ms: u64,
    /// How often the outbox is looked at when nothing wakes the relay, in milliseconds.
    pub poll_ms: u64,
    /// How long a confirm may take before the channel is given up, in milliseconds.
    pub confirm_timeout_ms: u64,
    /// How long a stopping relay goes on to empty the outbox, in milliseconds.
    pub flush_ms: u64,
}

impl Default for RelaySettings {
    fn default() -> Self {
        Self {
            pipes: 1,
            in_flight: 1024,
            gather_ms: 0,
            poll_ms: 1000,
            confirm_timeout_ms: 30_000,
            flush_ms: 5_000,
        }
    }
}

/// How events are consumed (`[consumer]`).
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ConsumerSettings {
    /// Deliveries that the broker sends ahead of their acknowledgement.
    pub prefetch: u16,
    /// Transactions at the same time; each holds a connection of the pool.
    pub workers: usize,
    /// Events of which one transaction takes the effect at the most, where their handlers gather: it takes all
    /// that wait, and a second one begins beside it when this many do or the first takes longer than 50 ms.
    pub batch: usize,
    /// The pauses before each further attempt at a failed event, in milliseconds.
    pub retry_ms: Vec<u64>,
    /// An event delivered this often without an outcome kills its consumer: it is parked untried.
    pub crash_limit: i64,
    /// The broker's own limit, after which it dead-letters. Has to be above `crash_limit`.
    pub delivery_limit: i64,
    /// How long deliveries are held while the database is away, in milliseconds.
    /// Well below the broker's consumer time-out (30 minutes).
    pub hold_ms: u64,
}

impl Default for ConsumerSettings {
    fn default() -> Self {
        Self {
            prefetch: 64,
            workers: 8,
            batch: 32,
            retry_ms: vec![1_000, 5_000, 30_000, 300_000],
            crash_limit: 25,
            delivery_limit: 50,
            hold_ms: 600_000,
        }
    }
}

impl ConsumerSettings {
    /// The pause after `attempts` failed ones; none when the ladder is spent.
    pub(crate) fn pause_after(&self, attempts: i32) -> Option<Duration> {
        let rung = usize::try_from(attempts).ok()?.checked_sub(1)?;
        self.retry_ms.get(rung).map(|ms| Duration::from_millis(*ms))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ladder_has_four_rungs_and_ends() {
        let settings = ConsumerSettings::default();
        let pauses: Vec<_> = (1..=5)
            .map(|n| settings.pause_after(n).map(|p| p.as_secs()))
            .collect();
        assert_eq!(pauses, [Some(1), Some(5), Some(30), Some(300), None]);
    }
}
