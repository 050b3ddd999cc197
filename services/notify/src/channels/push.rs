//! What a push message says, whoever carries it.

use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::Value;
use uuid::Uuid;

use super::Outgoing;
use crate::domain::Priority;

/// What a browser's service worker is given.
#[derive(Serialize)]
pub(super) struct Payload<'m> {
    id: Uuid,
    #[serde(rename = "type")]
    kind: &'m str,
    title: &'m str,
    body: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    url: Option<&'m str>,
    priority: Priority,
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<&'m Value>,
}

/// `message` as JSON of at most `limit` bytes. What does not fit loses its data first, which
/// a frontend can ask for by the id, and then the end of its text.
pub(super) fn payload(message: &Outgoing, limit: usize) -> Vec<u8> {
    let mut payload = Payload {
        id: message.notification_id,
        kind: &message.kind,
        title: &message.content.subject,
        body: message.content.text.clone(),
        url: message.content.url.as_deref(),
        priority: message.priority,
        data: (!message.data.is_null()).then_some(&message.data),
    };
    let mut json = bytes(&payload);
    if json.len() > limit {
        payload.data = None;
        json = bytes(&payload);
    }
    let mut characters = payload.body.chars().count();
    while json.len() > limit && characters > 0 {
        characters = characters * 3 / 4;
        payload.body = shortened(&message.content.text, characters);
        json = bytes(&payload);
    }
    json
}

/// A struct of texts and JSON is always JSON.
fn bytes(payload: &Payload<'_>) -> Vec<u8> {
    serde_json::to_vec(payload).unwrap_or_default()
}

/// The first characters and an ellipsis, or all of it.
pub(super) fn shortened(text: &str, characters: usize) -> String {
    match text.char_indices().nth(characters) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}

/// For how many seconds the message has a point, at the most `longest`.
pub(super) fn time_to_live(message: &Outgoing, now: DateTime<Utc>, longest: u64) -> u64 {
    message.expires_at.map_or(longest, |expires_at| {
        let left = (expires_at - now).num_seconds();
        u64::try_from(left).unwrap_or(0).min(longest)
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::channels::{Address, Content};

    fn message(text: &str, data: Value) -> Outgoing {
        Outgoing {
            delivery_id: Uuid::nil(),
            notification_id: Uuid::nil(),
            kind: "order_delivered".to_owned(),
            priority: Priority::High,
            expires_at: None,
            to: Address::Device("t".into()),
            content: Content {
                subject: "Ready".to_owned(),
                text: text.to_owned(),
                ..Content::default()
            },
            data,
        }
    }

    fn parsed(message: &Outgoing) -> Value {
        let json = payload(message, 500);
        assert!(json.len() <= 500);
        serde_json::from_slice(&json).unwrap()
    }

    #[test]
    fn what_does_not_fit_goes_in_the_order_of_its_worth() {
        let all = parsed(&message("hi", json!({ "order_id": "1" })));
        assert_eq!(
            (&all["body"], &all["data"]),
            (&json!("hi"), &json!({ "order_id": "1" }))
        );
        assert_eq!(
            (&all["type"], &all["priority"]),
            (&json!("order_delivered"), &json!("high"))
        );
        let without_data = parsed(&message("hi", json!("x".repeat(600))));
        assert_eq!(
            (&without_data["body"], without_data.get("data")),
            (&json!("hi"), None)
        );
        let short = parsed(&message(&"\u{1f44b}\"".repeat(400), json!(1)));
        assert!(short["body"].as_str().unwrap().ends_with('…'));
    }

    #[test]
    fn the_time_to_live_ends_with_the_message() {
        let now = DateTime::UNIX_EPOCH;
        let mut message = message("hi", Value::Null);
        assert_eq!(time_to_live(&message, now, 100), 100);
        for (seconds, expected) in [(-5, 0), (0, 0), (7, 7), (700, 100)] {
            message.expires_at = Some(now + chrono::Duration::seconds(seconds));
            assert_eq!(time_to_live(&message, now, 100), expected);
        }
    }
}
