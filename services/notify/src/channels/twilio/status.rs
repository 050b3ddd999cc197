//! What Twilio reports of a message after it took it.

use serde::{Deserialize, Serialize};
use url::Url;
use uuid::Uuid;

use super::refusal;
use crate::channels::Class;

/// The query parameter of a status callback that says whose it is.
pub(super) const DELIVERY: &str = "delivery_id";

/// Where a message is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum MessageStatus {
    /// Accepted by a messaging service that has not chosen a sender yet.
    Accepted,
    /// For a set time.
    Scheduled,
    /// Cancelled before its time.
    Canceled,
    /// Waits to be sent.
    Queued,
    /// On the way to the carrier.
    Sending,
    /// The carrier has it.
    Sent,
    /// The phone has it, as far as the carrier says.
    Delivered,
    /// The carrier could not hand it over.
    Undelivered,
    /// Twilio could not send it.
    Failed,
    /// It was read (where that is told).
    Read,
}

impl MessageStatus {
    /// The one that Twilio writes like this.
    pub fn named(name: &str) -> Option<Self> {
        serde_json::from_value(name.into()).ok()
    }

    /// Whether it arrived.
    pub fn has_arrived(self) -> bool {
        matches!(self, Self::Delivered | Self::Read)
    }

    /// Whether it will never arrive.
    pub fn has_failed(self) -> bool {
        matches!(self, Self::Undelivered | Self::Failed | Self::Canceled)
    }
}

/// A status callback.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StatusReport {
    /// The delivery that the message was sent for.
    pub delivery_id: Uuid,
    /// Twilio's id of the message.
    pub sid: String,
    /// Where it is.
    pub status: MessageStatus,
    /// Twilio's code of what went wrong.
    pub error_code: Option<u32>,
}

impl StatusReport {
    /// Reads the callback to `url` with these form fields. `None` when it lacks something
    /// or names a status that is not known.
    pub(super) fn read(url: &Url, params: &[(String, String)]) -> Option<Self> {
        let field = |name: &str| {
            params
                .iter()
                .find(|(field, _)| field == name)
                .map(|(_, value)| value)
        };
        let (_, delivery) = url.query_pairs().find(|(name, _)| name == DELIVERY)?;
        Some(Self {
            delivery_id: delivery.parse().ok()?,
            sid: field("MessageSid")?.clone(),
            status: MessageStatus::named(field("MessageStatus")?)?,
            error_code: field("ErrorCode").and_then(|code| code.parse().ok()),
        })
    }

    /// What kind of failure it reports, if it reports one.
    pub fn class(&self) -> Option<Class> {
        let known = self.error_code.and_then(refusal::class);
        self.status
            .has_failed()
            .then(|| known.unwrap_or(Class::Permanent))
    }
}
