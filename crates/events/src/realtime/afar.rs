//! Pushes as they travel to the other processes: alone under the key of their target, or many in one message.

use std::fmt::Write as _;

use serde::Deserialize;
use serde_json::Value;
use tracing::Span;

use super::{Push, Target};
use crate::trace;

/// The key of a message that has many pushes in it. Every listener gets it and takes what is theirs.
pub(super) const MANY: &str = "many";
/// A message that is as large takes no further push, in bytes.
const LARGE: usize = 1 << 16;

/// A push that this process has heard of, for the others.
#[derive(Debug)]
pub struct Afar {
    key: String,
    name: String,
    body: String,
    trace: Option<String>,
}

impl Afar {
    pub(super) fn of(push: &Push, span: &Span) -> Self {
        Self {
            key: push.target.to_string(),
            name: push.name.clone(),
            body: push.payload.to_string(),
            trace: span.in_scope(trace::current),
        }
    }
}

/// One message to the exchange.
#[derive(Debug)]
pub(super) struct Parcel {
    /// How many pushes are in it.
    pub(super) pushes: usize,
    pub(super) key: String,
    /// What the push is called, where it is alone.
    pub(super) name: Option<String>,
    /// The trace that it belongs to, where it is alone.
    pub(super) trace: Option<String>,
    pub(super) body: String,
}

impl Parcel {
    fn alone(push: Afar) -> Self {
        Self {
            pushes: 1,
            key: push.key,
            name: Some(push.name),
            trace: push.trace,
            body: push.body,
        }
    }

    fn of(mut pushes: Vec<Afar>) -> Option<Self> {
        if pushes.len() <= 1 {
            return pushes.pop().map(Self::alone);
        }
        let mut body = String::with_capacity(pushes.iter().map(|push| push.body.len() + 128).sum());
        let mut before = '[';
        for push in &pushes {
            let (key, name, trace) = (json(&push.key), json(&push.name), json(&push.trace));
            let payload = &push.body;
            write!(
                body,
                r#"{before}{{"for":{key},"name":{name},"traceparent":{trace},"payload":{payload}}}"#
            )
            .ok();
            before = ',';
        }
        body.push(']');
        Some(Self {
            pushes: pushes.len(),
            key: MANY.to_owned(),
            name: None,
            trace: None,
            body,
        })
    }
}

fn json(value: &impl serde::Serialize) -> String {
    serde_json::to_string(value).unwrap_or_default()
}

/// Puts pushes into as few messages as may be, in their order.
pub(super) fn pack(pushes: impl Iterator<Item = Afar>) -> Vec<Parcel> {
    let mut parcels = Vec::new();
    let (mut open, mut size) = (Vec::new(), 0);
    for push in pushes {
        size += push.body.len();
        open.push(push);
        if size >= LARGE {
            parcels.extend(Parcel::of(std::mem::take(&mut open)));
            size = 0;
        }
    }
    parcels.extend(Parcel::of(open));
    parcels
}

/// A push that has arrived.
#[derive(Deserialize)]
pub(super) struct Packed {
    #[serde(rename = "for")]
    pub(super) key: String,
    name: String,
    traceparent: Option<String>,
    payload: Value,
}

impl Packed {
    /// The push and its trace; `None` when it is for nobody that is known.
    pub(super) fn open(self) -> Option<(Push, Option<String>)> {
        let push = Push {
            target: Target::parse(&self.key)?,
            name: self.name,
            payload: self.payload,
        };
        Some((push, self.traceparent))
    }
}

/// What is in a message. One that cannot be read has nothing in it.
pub(super) fn unpack(key: &str, name: Option<String>, trace: Option<String>, body: &[u8]) -> Vec<Packed> {
    if key == MANY {
        return serde_json::from_slice(body).unwrap_or_default();
    }
    let alone = name.zip(serde_json::from_slice(body).ok());
    let alone = alone.map(|(name, payload)| Packed {
        key: key.to_owned(),
        name,
        traceparent: trace,
        payload,
    });
    alone.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn push(number: usize, length: usize) -> Push {
        Push {
            target: Target::Role(format!("r{number}")),
            name: "n\"ame".to_owned(),
            payload: json!({ "number": number, "text": "x".repeat(length) }),
        }
    }

    fn sent(pushes: &[Push]) -> Vec<Parcel> {
        pack(pushes.iter().map(|push| Afar::of(push, &Span::none())))
    }

    fn arrived(parcels: Vec<Parcel>) -> Vec<Push> {
        let pushes = parcels
            .into_iter()
            .flat_map(|parcel| unpack(&parcel.key, parcel.name, parcel.trace, parcel.body.as_bytes()));
        pushes.filter_map(Packed::open).map(|(push, _)| push).collect()
    }

    #[test]
    fn what_is_packed_arrives_in_its_order() {
        for count in [0, 1, 2, 50] {
            let pushes: Vec<Push> = (0..count).map(|n| push(n, 3)).collect();
            let parcels = sent(&pushes);
            assert_eq!(parcels.len(), count.min(1));
            assert_eq!(arrived(parcels), pushes);
        }
    }

    #[test]
    fn a_message_does_not_grow_beyond_measure() {
        let pushes: Vec<Push> = (0..7).map(|n| push(n, LARGE / 2)).collect();
        let parcels = sent(&pushes);
        let counts: Vec<usize> = parcels.iter().map(|parcel| parcel.pushes).collect();
        assert_eq!(counts, [2, 2, 2, 1]);
        assert_eq!(arrived(parcels), pushes);
    }

    #[test]
    fn what_is_no_push_is_left_out() {
        let body = br#"[{"for":"nobody","name":"a","payload":1},{"for":"role.r","name":"b","payload":2}]"#;
        let found = unpack(MANY, None, None, body)
            .into_iter()
            .filter_map(Packed::open);
        assert_eq!(found.count(), 1);
        assert!(unpack(MANY, None, None, b"no json").is_empty());
        assert!(unpack("role.r", None, None, b"1").is_empty());
    }

    #[test]
    fn each_push_keeps_its_trace() {
        for count in [1, 2] {
            let traced = |n: usize| Afar {
                trace: Some(format!("trace {n}")),
                ..Afar::of(&push(n, 3), &Span::none())
            };
            let parcel = pack((0..count).map(traced)).pop().unwrap();
            let packed = unpack(&parcel.key, parcel.name, parcel.trace, parcel.body.as_bytes());
            let found = packed
                .into_iter()
                .filter_map(Packed::open)
                .map(|(_, trace)| trace);
            let expected = (0..count).map(|n| Some(format!("trace {n}")));
            assert!(found.eq(expected), "of {count}");
        }
    }
}
