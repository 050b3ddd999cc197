//! What is around an event on its way.

use std::collections::BTreeMap;

use chrono::{DateTime, SecondsFormat, TimeZone as _, Utc};
use lapin::BasicProperties;
use lapin::types::{AMQPValue, FieldTable, LongString};
use parlour_contracts::Event;
use uuid::Uuid;

use crate::hash;

pub(crate) const CONTENT_TYPE: &str = "application/protobuf";

/// An event with its attributes, not yet decoded.
#[derive(Clone, Debug, PartialEq)]
pub struct Envelope {
    /// The same on every redelivery.
    pub id: Uuid,
    /// Such as `identity.account.registered`; also the routing key.
    pub event_type: String,
    /// The service that published it.
    pub source: String,
    /// What it happened to.
    pub aggregate: String,
    /// Counts the events of the aggregate at its source, from 1.
    pub version: i64,
    /// When it was published.
    pub time: DateTime<Utc>,
    /// W3C trace context of what caused it.
    pub traceparent: Option<String>,
    /// The message, encoded.
    pub payload: Vec<u8>,
}

/// The message is not one of ours.
#[derive(Debug, thiserror::Error)]
#[error("not an event: the attribute {0} is missing or malformed")]
pub struct Malformed(&'static str);

impl Envelope {
    /// Decodes the payload as `E`.
    pub fn decode<E: Event>(&self) -> Result<E, prost::DecodeError> {
        E::decode(self.payload.as_slice())
    }

    /// Decodes the payload if this is an event of type `E`.
    pub fn read<E: Event>(&self) -> Option<Result<E, prost::DecodeError>> {
        (self.event_type == E::TYPE).then(|| self.decode::<E>())
    }

    pub(crate) fn properties(&self) -> BasicProperties {
        let mut headers = FieldTable::default();
        let mut set = |name: &str, value: String| {
            headers.insert(name.into(), AMQPValue::LongString(value.into()));
        };
        set("cloudEvents_specversion", "1.0".to_owned());
        set("cloudEvents_id", self.id.to_string());
        set("cloudEvents_source", self.source.clone());
        set("cloudEvents_type", self.event_type.clone());
        set("cloudEvents_subject", self.aggregate.clone());
        set(
            "cloudEvents_time",
            self.time.to_rfc3339_opts(SecondsFormat::Micros, true),
        );
        set("cloudEvents_aggregateversion", self.version.to_string());
        if let Some(traceparent) = &self.traceparent {
            set("traceparent", traceparent.clone());
        }
        BasicProperties::default()
            .with_content_type(CONTENT_TYPE.into())
            .with_delivery_mode(2)
            .with_message_id(self.id.to_string().into())
            .with_headers(headers)
    }

    pub(crate) fn parse(properties: &BasicProperties, payload: &[u8]) -> Result<Self, Malformed> {
        let headers = headers(properties);
        let text = |name: &'static str| {
            headers
                .get(name)
                .cloned()
                .filter(|t| !t.is_empty())
                .ok_or(Malformed(name))
        };
        Ok(Self {
            id: text("cloudEvents_id")?
                .parse()
                .map_err(|_| Malformed("cloudEvents_id"))?,
            event_type: text("cloudEvents_type")?,
            source: text("cloudEvents_source")?,
            aggregate: text("cloudEvents_subject")?,
            version: text("cloudEvents_aggregateversion")?
                .parse()
                .map_err(|_| Malformed("cloudEvents_aggregateversion"))?,
            time: DateTime::parse_from_rfc3339(&text("cloudEvents_time")?)
                .map_err(|_| Malformed("cloudEvents_time"))?
                .to_utc(),
            traceparent: headers.get("traceparent").cloned(),
            payload: payload.to_vec(),
        })
    }

    /// What a message without readable attributes is parked as. Its id comes from
    /// its bytes, so that a redelivery is the same event.
    pub(crate) fn unreadable(routing_key: &str, properties: &BasicProperties, payload: &[u8]) -> Self {
        let described = format!(
            "{routing_key}\0{:?}\0{:?}",
            headers(properties),
            properties.message_id()
        );
        let (a, b) = (hash::fnv(described.as_bytes()), hash::fnv(payload));
        let id = Uuid::from_u64_pair(a, b);
        Self {
            id,
            event_type: if routing_key.is_empty() {
                "unknown".to_owned()
            } else {
                routing_key.to_owned()
            },
            source: "unknown".to_owned(),
            aggregate: format!("unreadable:{id}"),
            version: 1,
            time: Utc.timestamp_nanos(0),
            traceparent: None,
            payload: payload.to_vec(),
        }
    }
}

/// The headers that are text or numbers, as text.
pub(crate) fn headers(properties: &BasicProperties) -> BTreeMap<String, String> {
    let Some(table) = properties.headers() else {
        return BTreeMap::new();
    };
    table
        .inner()
        .iter()
        .filter_map(|(name, value)| Some((name.to_string(), as_text(value)?)))
        .collect()
}

fn as_text(value: &AMQPValue) -> Option<String> {
    let long = |s: &LongString| String::from_utf8(s.as_bytes().to_vec()).ok();
    match value {
        AMQPValue::LongString(s) => long(s),
        AMQPValue::ShortString(s) => Some(s.to_string()),
        AMQPValue::ShortShortInt(n) => Some(n.to_string()),
        AMQPValue::ShortShortUInt(n) => Some(n.to_string()),
        AMQPValue::ShortInt(n) => Some(n.to_string()),
        AMQPValue::ShortUInt(n) => Some(n.to_string()),
        AMQPValue::LongInt(n) => Some(n.to_string()),
        AMQPValue::LongUInt(n) => Some(n.to_string()),
        AMQPValue::LongLongInt(n) => Some(n.to_string()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Envelope {
        Envelope {
            id: Uuid::now_v7(),
            event_type: "orders.order.delivered".into(),
            source: "orders".into(),
            aggregate: "order:سلام".into(),
            version: 7,
            time: Utc.timestamp_micros(1_700_000_000_123_456).unwrap(),
            traceparent: Some("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01".into()),
            payload: vec![1, 2, 3],
        }
    }

    #[test]
    fn headers_carry_everything() {
        let envelope = sample();
        assert_eq!(
            Envelope::parse(&envelope.properties(), &envelope.payload).unwrap(),
            envelope
        );
    }

    #[test]
    fn a_foreign_message_is_malformed_and_keeps_one_id() {
        let properties = BasicProperties::default();
        assert!(Envelope::parse(&properties, b"x").is_err());
        let first = Envelope::unreadable("a.b.c", &properties, b"x");
        assert_eq!(first, Envelope::unreadable("a.b.c", &properties, b"x"));
        assert_ne!(first.id, Envelope::unreadable("a.b.c", &properties, b"y").id);
    }
}
