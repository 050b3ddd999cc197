//! A message as FCM takes it.

use chrono::{DateTime, Utc};
use serde_json::{Map, Value, json};

use crate::channels::{Outgoing, push};
use crate::domain::Priority;

/// The largest content that FCM takes is 4096 bytes, titles and names included.
const LARGEST: usize = 3500;

/// The longest title and text that are sent, in characters; a phone shows fewer.
const TITLE: usize = 200;
const TEXT: usize = 800;

/// The body of `messages:send`. All values of `data` are text: FCM takes no others.
pub(super) fn of(message: &Outgoing, device: &str, now: DateTime<Utc>, longest_ttl: u64) -> Value {
    let ttl = push::time_to_live(message, now, longest_ttl);
    let urgent = message.priority >= Priority::High;
    let expires = now.timestamp().saturating_add_unsigned(ttl);
    // One notification is one entry on the phone, also when it is sent again.
    let id = message.notification_id.to_string();
    let mut body = json!({ "message": {
        "token": device,
        "notification": {
            "title": push::shortened(&message.content.subject, TITLE),
            "body": push::shortened(&message.content.text, TEXT),
        },
        "data": data(message, true),
        "android": {
            "priority": if urgent { "HIGH" } else { "NORMAL" },
            "ttl": format!("{ttl}s"),
            "notification": { "tag": id },
        },
        "apns": {
            "headers": {
                "apns-priority": if urgent { "10" } else { "5" },
                "apns-expiration": expires.to_string(),
                "apns-collapse-id": id,
            },
            "payload": { "aps": { "sound": "default" } },
        },
    }});
    if body.to_string().len() > LARGEST
        && let Some(place) = body.pointer_mut("/message/data")
    {
        *place = data(message, false);
    }
    body
}

fn data(message: &Outgoing, whole: bool) -> Value {
    let mut data = Map::new();
    let mut put = |name: &str, value: String| data.insert(name.to_owned(), value.into());
    put("id", message.notification_id.to_string());
    put("type", message.kind.clone());
    put("priority", message.priority.name().to_owned());
    if let Some(url) = &message.content.url {
        put("url", url.clone());
    }
    if whole && !message.data.is_null() {
        put("data", message.data.to_string());
    }
    data.into()
}
