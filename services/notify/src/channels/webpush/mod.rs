//! Push messages to browsers (RFC 8030): encrypted for the browser, signed by us, and handed
//! to whatever push service the browser named.

mod content;
mod guard;
mod vapid;

use std::sync::Arc;
use std::time::Duration;

use aws_lc_rs::agreement::{ECDH_P256, ParsedPublicKey, UnparsedPublicKey};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, Utc};
use reqwest::Client;
use secrecy::ExposeSecret as _;
use url::Url;

pub(super) use self::content::Recipient;
pub(crate) use self::content::decrypt;
use self::guard::PublicOnly;
pub use self::guard::{BadEndpoint, check_endpoint};
pub use self::vapid::{NoKey, Vapid};
use super::attempt::Failure;
use super::client::{self, Answer, Peers};
use super::push;
use super::settings::WebPushSettings;
use super::{Class, Outgoing};
use crate::domain::Priority;

/// The length of a browser's key, an uncompressed point.
const POINT: usize = 65;

/// The length of a browser's secret.
const AUTH: usize = 16;

/// All push services.
pub(super) struct WebPush {
    client: Client,
    vapid: Vapid,
    private_endpoints: bool,
    longest_ttl: u64,
}

impl WebPush {
    pub(super) fn new(settings: &WebPushSettings) -> anyhow::Result<Self> {
        let vapid = if settings.private_key.expose_secret().is_empty() {
            tracing::warn!("no VAPID key is configured: push subscriptions end with this process");
            Vapid::generate(&settings.contact)?
        } else {
            Vapid::new(&settings.private_key, &settings.contact)?
        };
        let peers = if settings.private_endpoints {
            Peers::Anyone
        } else {
            Peers::Named(Arc::new(PublicOnly))
        };
        Ok(Self {
            client: client::client(Duration::from_secs(settings.timeout_seconds), peers)?,
            vapid,
            private_endpoints: settings.private_endpoints,
            longest_ttl: settings.longest_ttl_seconds,
        })
    }

    pub(super) fn vapid(&self) -> &Vapid {
        &self.vapid
    }

    /// Whether a subscription can be sent to, as far as that can be seen without sending.
    /// The answer is the endpoint.
    pub(super) fn check(&self, endpoint: &str, to: &Recipient<'_>) -> Result<Url, BadSubscription> {
        let url = check_endpoint(endpoint, self.private_endpoints)?;
        let point = ParsedPublicKey::try_from(UnparsedPublicKey::new(&ECDH_P256, to.p256dh));
        if to.p256dh.len() != POINT || point.is_err() {
            return Err(BadSubscription::Key);
        }
        if to.auth.len() != AUTH {
            return Err(BadSubscription::Auth);
        }
        Ok(url)
    }

    /// Sends one message.
    pub(super) async fn send(
        &self,
        message: &Outgoing,
        endpoint: &str,
        to: &Recipient<'_>,
        now: DateTime<Utc>,
    ) -> Result<(), Failure> {
        let url = self
            .check(endpoint, to)
            .map_err(|bad| Failure::of_message(Class::BadAddress, bad.to_string()))?;
        let body = content::encrypt(to, &push::payload(message, content::LARGEST))
            .map_err(|_| Failure::of_message(Class::BadAddress, "the subscription's keys are of no use"))?;
        let authorization = self
            .vapid
            .authorization(&url, now)
            .map_err(|error| Failure::of_message(Class::Permanent, error.to_string()))?;
        let ttl = push::time_to_live(message, now, self.longest_ttl);
        let request = self
            .client
            .post(url)
            .header("Authorization", authorization)
            .header("Content-Encoding", "aes128gcm")
            .header("Content-Type", "application/octet-stream")
            .header("TTL", ttl.to_string())
            .header("Urgency", urgency(message.priority))
            // A copy that still waits for the browser is replaced, not added to.
            .header("Topic", URL_SAFE_NO_PAD.encode(message.notification_id))
            .body(body);
        let answer = client::ask(request).await?;
        if answer.status.is_success() {
            return Ok(());
        }
        Err(refusal(&answer, now).discreet(endpoint))
    }
}

/// Why a subscription is of no use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadSubscription {
    /// The push service's URL.
    #[error("endpoint {0}")]
    Endpoint(#[from] BadEndpoint),
    /// The browser's key.
    #[error("keys.p256dh must be an uncompressed point of P-256")]
    Key,
    /// The browser's secret.
    #[error("keys.auth must be 16 bytes")]
    Auth,
    /// Nobody is configured to send to it.
    #[error("push messages to browsers are not set up")]
    NoWebPush,
}

fn urgency(priority: Priority) -> &'static str {
    match priority {
        Priority::Low => "low",
        Priority::Normal => "normal",
        Priority::High | Priority::Emergency => "high",
    }
}

fn refusal(answer: &Answer, now: DateTime<Utc>) -> Failure {
    let words = format!("HTTP {} {}", answer.status.as_u16(), answer.text());
    match answer.status.as_u16() {
        404 | 410 => Failure::of_message(Class::BadAddress, words),
        // The subscription belongs to another key. That is about this browser, whatever the
        // status sounds like; it must not keep others of the same push service from theirs.
        401 | 403 => Failure::of_message(Class::Permanent, words),
        _ => answer.failure(words, now),
    }
}
