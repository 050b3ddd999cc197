//! Something to tell, written once for each dialect however many people it goes to.

use std::sync::OnceLock;

use parlour_sockets::Packet;
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Utf8Bytes;

/// What is told, and how it is called.
#[derive(Debug)]
pub struct Frame {
    name: String,
    payload: Value,
    packet: OnceLock<Packet>,
    plain: OnceLock<Option<Utf8Bytes>>,
}

impl Frame {
    /// Nothing is written before somebody is to hear it.
    pub fn new(name: impl Into<String>, payload: Value) -> Self {
        Self {
            name: name.into(),
            payload,
            packet: OnceLock::new(),
            plain: OnceLock::new(),
        }
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// As a Socket.IO event.
    pub fn packet(&self) -> &Packet {
        self.packet
            .get_or_init(|| Packet::event(&self.name, &self.payload))
    }

    /// As a frame of SafeTalk's WebSocket, which has fewer of them.
    pub fn plain(&self) -> Option<&Utf8Bytes> {
        let written = self
            .plain
            .get_or_init(|| plain(&self.name, &self.payload).map(|value| value.to_string().into()));
        written.as_ref()
    }
}

fn plain(name: &str, payload: &Value) -> Option<Value> {
    Some(match name {
        "new_message" => json!({
            "type": "message",
            "id": payload.get("id"),
            "session_id": payload.get("session_id"),
            "sender": payload.pointer("/sender/id"),
            "sender_name": payload.pointer("/sender/name"),
            "content": payload.get("content"),
            "message_type": payload.get("type"),
            "timestamp": payload.get("timestamp"),
            "seq": payload.get("seq"),
            "file_url": payload.get("file_url"),
            "status": "sent",
        }),
        "message_sent" => json!({
            "type": "message",
            "id": payload.get("message_id"),
            "session_id": payload.get("session_id"),
            "timestamp": payload.get("timestamp"),
            "seq": payload.get("seq"),
            "status": "sent",
            "own": true,
        }),
        "user_typing" => json!({
            "type": "typing",
            "session_id": payload.get("session_id"),
            "user_id": payload.get("user_id"),
            "is_typing": payload.get("is_typing"),
        }),
        "message_reaction_update" => json!({
            "type": "reaction",
            "session_id": payload.get("session_id"),
            "message_id": payload.get("message_id"),
            "user_id": payload.get("user_id"),
            "reaction": payload.get("reaction"),
            "action": payload.get("action"),
        }),
        "error" | "auth_error" => json!({
            "type": "error",
            "code": payload.get("code"),
            "error": payload.get("error").or_else(|| payload.get("message")),
        }),
        "session_locked" | "session_terminated" | "message_removed" => {
            let mut told = payload.as_object()?.clone();
            told.insert("type".to_owned(), json!(name));
            told.into()
        }
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_dialect_has_its_own_words() {
        let payload = json!({
            "id": "m", "session_id": "s", "sender": {"id": "u", "name": "Ann"}, "content": "hi",
            "type": "text", "timestamp": "t", "seq": 3,
        });
        let frame = Frame::new("new_message", payload);
        let plain: Value = serde_json::from_str(frame.plain().unwrap()).unwrap();
        assert_eq!(
            (&plain["type"], &plain["sender"]),
            (&json!("message"), &json!("u"))
        );
        assert!(Frame::new("presence_update", json!({})).plain().is_none());
    }
}
