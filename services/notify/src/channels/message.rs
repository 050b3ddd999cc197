//! What a channel is given and what it answers.

use std::time::Duration;

use chrono::{DateTime, Utc};
use secrecy::SecretString;
use serde_json::Value;
use uuid::Uuid;

use crate::domain::Priority;

/// One message to one address.
#[derive(Clone, Debug)]
pub struct Outgoing {
    /// The same at every attempt; providers that take a key of idempotency get it.
    pub delivery_id: Uuid,
    /// The notification that it tells.
    pub notification_id: Uuid,
    /// Such as `order_delivered`.
    pub kind: String,
    /// How much it matters.
    pub priority: Priority,
    /// After this it has lost its point.
    pub expires_at: Option<DateTime<Utc>>,
    /// Where it goes.
    pub to: Address,
    /// What it says.
    pub content: Content,
    /// What it was made from, for push payloads and the development outbox.
    pub data: Value,
}

/// Where a message goes. `Debug` shows none of it.
#[derive(Clone, Debug)]
pub enum Address {
    /// An e-mail address.
    Email(SecretString),
    /// A phone number, E.164.
    Phone(SecretString),
    /// A browser's push subscription (RFC 8030, RFC 8291).
    WebPush {
        /// The push service's URL for it.
        endpoint: SecretString,
        /// The browser's public key, uncompressed point.
        p256dh: Vec<u8>,
        /// The browser's authentication secret, 16 bytes.
        auth: Vec<u8>,
    },
    /// A registration token of Firebase Cloud Messaging.
    Device(SecretString),
}

/// What a message says, rendered for its channel.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Content {
    /// The subject or title.
    pub subject: String,
    /// The text; of an e-mail its plain part.
    pub text: String,
    /// The HTML part of an e-mail.
    pub html: Option<String>,
    /// Where a click leads.
    pub url: Option<String>,
    /// Where one can unsubscribe from this kind (`List-Unsubscribe`).
    pub unsubscribe: Option<String>,
}

/// A provider took it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sent {
    /// The provider's configured name.
    pub provider: String,
    /// How the provider calls the message, to match its reports.
    pub provider_id: Option<String>,
}

/// No provider took it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{provider}: {words} ({class:?})")]
pub struct Refused {
    /// What to do about it.
    pub class: Class,
    /// Who refused it; empty when nobody could be asked.
    pub provider: String,
    /// In the provider's words, without secrets.
    pub words: String,
    /// When the provider itself wants to be asked again.
    pub retry_after: Option<Duration>,
}

/// What kind of refusal it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Class {
    /// May work later.
    Transient,
    /// Too much at once; will work later.
    Throttled,
    /// Will never work.
    Permanent,
    /// The address is of no use any more.
    BadAddress,
}

impl Class {
    /// Its name in the API, in events and in the database.
    pub fn name(self) -> &'static str {
        match self {
            Self::Transient => "transient",
            Self::Throttled => "throttled",
            Self::Permanent => "permanent",
            Self::BadAddress => "bad_address",
        }
    }
}
