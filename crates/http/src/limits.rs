//! Rate classes and their figures.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// Which limit a route counts against.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RateClass {
    /// Not limited.
    None,
    /// Everything that is not special. In the gateway's memory.
    General,
    /// Chat's reads. In the gateway's memory.
    Chat,
    /// Sending messages, by REST and socket together. Counted by chat.
    Message,
    /// Voice notes.
    Voice,
    /// Files.
    Upload,
    /// Signing in and what belongs to it; per address, before anything else is looked at.
    Auth,
    /// Panic buttons.
    Emergency,
    /// Payments.
    Payment,
}

impl RateClass {
    /// All classes.
    pub const ALL: [RateClass; 9] = [
        RateClass::None,
        RateClass::General,
        RateClass::Chat,
        RateClass::Message,
        RateClass::Voice,
        RateClass::Upload,
        RateClass::Auth,
        RateClass::Emergency,
        RateClass::Payment,
    ];

    /// The name in configuration, headers and documents.
    pub const fn name(self) -> &'static str {
        match self {
            RateClass::None => "none",
            RateClass::General => "general",
            RateClass::Chat => "chat",
            RateClass::Message => "message",
            RateClass::Voice => "voice",
            RateClass::Upload => "upload",
            RateClass::Auth => "auth",
            RateClass::Emergency => "emergency",
            RateClass::Payment => "payment",
        }
    }

    /// Whether the service counts it in its database, before the handler runs.
    pub const fn is_durable(self) -> bool {
        matches!(
            self,
            RateClass::Voice
                | RateClass::Upload
                | RateClass::Auth
                | RateClass::Emergency
                | RateClass::Payment
        )
    }

    /// Whether the gateway counts it in memory.
    pub const fn is_at_the_gateway(self) -> bool {
        matches!(self, RateClass::General | RateClass::Chat)
    }
}

/// How many requests in how long.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limit {
    /// Requests within the window, in the long run.
    pub requests: u32,
    /// The window, in seconds.
    pub seconds: u32,
    /// How many may come at once.
    pub burst: u32,
}

impl Limit {
    /// The time that one request uses up.
    pub fn interval(self) -> Duration {
        Duration::from_secs(u64::from(self.seconds)) / self.requests.max(1)
    }

    /// `RateLimit-Policy` (draft-ietf-httpapi-ratelimit-headers).
    pub fn policy_header(self, class: RateClass) -> String {
        format!("{:?};q={};w={}", class.name(), self.requests, self.seconds)
    }

    /// `RateLimit`: what is left, and in how many seconds the bucket is full again.
    pub fn header(class: RateClass, remaining: u32, reset: Duration) -> String {
        format!(
            "{:?};r={remaining};t={}",
            class.name(),
            reset.as_secs_f64().ceil()
        )
    }
}

/// The figures by class (`[limits]`).
#[derive(Clone, Debug, Deserialize)]
#[serde(transparent)]
pub struct LimitSettings(pub BTreeMap<RateClass, Limit>);

/// The figures in force, shared by the whole process and changeable while it runs.
#[derive(Clone, Debug)]
pub struct Limits(Arc<RwLock<BTreeMap<RateClass, Limit>>>);

impl Limits {
    /// Starts with the configured figures.
    pub fn new(settings: LimitSettings) -> Self {
        Self(Arc::new(RwLock::new(settings.0)))
    }

    /// The figure of a class; `None` is not limited.
    pub fn get(&self, class: RateClass) -> Option<Limit> {
        let limits = self.0.read().unwrap_or_else(PoisonError::into_inner);
        limits.get(&class).copied()
    }

    /// Changes the figure of a class.
    pub fn set(&self, class: RateClass, limit: Limit) {
        let mut limits = self.0.write().unwrap_or_else(PoisonError::into_inner);
        limits.insert(class, limit);
    }
}
