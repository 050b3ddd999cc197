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
        self.packet.get_or_init(|| Packet::event(&self.name, &self.payload))
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
            "id": payload["id"],
            "session_id": payload["session_id"],
            "sender": payload["sender"]["id"],
            "sender_name": payload["sender"]["name"],
            "content": payload["content"],
            "message_type": payload["type"],
            "timestamp": payload["timestamp"],
            "seq": payload["seq"],
            "file_url": payload["file_url"],
            "status": "sent",
        }),
        "message_sent" => json!({
            "type": "message",
            "id": payload["message_id"],
            "session_id": payload["session_id"],
            "timestamp": payload["timestamp"],
            "seq": payload["seq"],
            "status": "sent",
            "own": true,
        }),
        "user_typing" => json!({
            "type": "typing",
            "session_id": payload["session_id"],
            "user_id": payload["user_id"],
            "is_typing": payload["is_typing"],
        }),
        "message_reaction_update" => json!({
            "type": "reaction",
            "session_id": payload["session_id"],
            "message_id": payload["message_id"],
            "user_id": payload["user_id"],
            "reaction": payload["reaction"],
            "action": payload["action"],
        }),
        "error" | "auth_error" => json!({
            "type": "error",
            "code": payload["code"],
            "error": payload.get("error").or_else(|| payload.get("message")),
        }),
        "session_locked" | "session_terminated" | "message_removed" => {
            let mut told = payload.clone();
            told["type"] = json!(name);
            told
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
        assert_eq!((&plain["type"], &plain["sender"]), (&json!("message"), &json!("u")));
        assert!(Frame::new("presence_update", json!({})).plain().is_none());
    }
}
