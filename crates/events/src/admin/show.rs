//! Any event as JSON, by its descriptor.

use std::sync::OnceLock;

use chrono::{DateTime, Utc};
use parlour_contracts::{DESCRIPTORS, catalogue};
use prost_reflect::{DescriptorPool, DynamicMessage, MessageDescriptor, SerializeOptions};
use serde::Serialize;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::Envelope;

/// A decoded event.
#[derive(Clone, Debug, Serialize)]
pub struct Shown {
    /// The event's id.
    pub id: Uuid,
    /// Its type.
    #[serde(rename = "type")]
    pub event_type: String,
    /// The service that published it.
    pub source: String,
    /// What it happened to.
    pub aggregate: String,
    /// Its number among the events of the aggregate.
    pub version: i64,
    /// When it was published.
    pub time: DateTime<Utc>,
    /// The trace that caused it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub traceparent: Option<String>,
    /// The event; what cannot be decoded is shown as `{"undecodable": "<hex>", "why": "…"}`.
    pub data: Value,
}

impl From<&Envelope> for Shown {
    fn from(event: &Envelope) -> Self {
        Self {
            id: event.id,
            event_type: event.event_type.clone(),
            source: event.source.clone(),
            aggregate: event.aggregate.clone(),
            version: event.version,
            time: event.time,
            traceparent: event.traceparent.clone(),
            data: decode(&event.event_type, &event.payload),
        }
    }
}

/// Decodes the payload of an event of `event_type`.
pub fn decode(event_type: &str, payload: &[u8]) -> Value {
    try_decode(event_type, payload).unwrap_or_else(|why| {
        let hex = payload
            .iter()
            .fold(String::new(), |hex, byte| hex + &format!("{byte:02x}"));
        json!({ "undecodable": hex, "why": why })
    })
}

fn try_decode(event_type: &str, payload: &[u8]) -> Result<Value, String> {
    let descriptor = descriptor(event_type).ok_or("the type is unknown")?;
    let message = DynamicMessage::decode(descriptor, payload).map_err(|e| e.to_string())?;
    let options = SerializeOptions::new()
        .use_proto_field_name(true)
        .skip_default_fields(false)
        .stringify_64_bit_integers(false);
    message
        .serialize_with_options(serde_json::value::Serializer, &options)
        .map_err(|e| e.to_string())
}

fn descriptor(event_type: &str) -> Option<MessageDescriptor> {
    let proto = if event_type.ends_with(".audit.recorded") {
        "parlour.events.v1.AuditRecorded"
    } else {
        catalogue::ALL.iter().find(|(name, _)| *name == event_type)?.1
    };
    pool()?.get_message_by_name(proto)
}

fn pool() -> Option<&'static DescriptorPool> {
    static POOL: OnceLock<Option<DescriptorPool>> = OnceLock::new();
    POOL.get_or_init(|| DescriptorPool::decode(DESCRIPTORS).ok())
        .as_ref()
}

#[cfg(test)]
mod tests {
    use super::*;
    use parlour_contracts::identity::v1::RolesChanged;
    use prost::Message as _;

    #[test]
    fn events_are_shown_by_their_descriptors() {
        let event = RolesChanged {
            account_id: "7".into(),
            roles: vec!["admin".into()],
            not_before_ms: 5,
            ..Default::default()
        };
        let shown = decode("identity.roles.changed", &event.encode_to_vec());
        assert_eq!(shown["roles"], json!(["admin"]));
        assert_eq!(shown["not_before_ms"], json!(5));
        assert_eq!(shown["level"], json!(""));
    }

    #[test]
    fn what_cannot_be_decoded_is_shown_raw() {
        assert_eq!(decode("no.such.type", b"\xff")["undecodable"], json!("ff"));
        assert_eq!(
            decode("identity.roles.changed", b"\xff\xff")["undecodable"],
            json!("ffff")
        );
    }
}
