//! What goes out, encoded once.

use std::collections::VecDeque;

use bytes::Bytes;
use serde::Serialize;
use serde_json::{Value, json};
use socketioxide_core::packet::Packet as Inner;
use socketioxide_core::parser::Parse as _;
use socketioxide_core::{Str, Value as Parts};
use socketioxide_parser_common::CommonParser;
use tokio_tungstenite::tungstenite::Utf8Bytes;

/// The namespace that everybody is in.
const MAIN: &str = "/";

/// An encoded packet. Cheap to clone: all clones share their bytes.
#[derive(Clone, Debug)]
pub struct Packet {
    /// With Engine.IO's type before it, as every transport sends it.
    pub(crate) text: Utf8Bytes,
    pub(crate) binaries: VecDeque<Bytes>,
}

impl Packet {
    /// An event of the main namespace with one argument. What cannot be written as JSON
    /// becomes null: only maps with keys that are not text cannot.
    pub fn event(name: &str, argument: &impl Serialize) -> Self {
        let text = serde_json::to_string(&(name, argument));
        let text = text.unwrap_or_else(|_| json!([name, null]).to_string());
        Self::encode(Inner::event(MAIN, Parts::Str(text.into(), None)))
    }

    /// An event of a namespace with any arguments, in which `binaries` stand as placeholders.
    pub fn event_in(namespace: &str, name: &str, arguments: &[Value], binaries: VecDeque<Bytes>) -> Self {
        let mut all = vec![Value::from(name)];
        all.extend_from_slice(arguments);
        Self::encode(Inner::event(
            Str::copy_from_slice(namespace),
            parts(&all, binaries),
        ))
    }

    /// What a client asked to be told about event number `id`.
    pub(crate) fn ack(namespace: Str, id: i64, arguments: &[Value], binaries: VecDeque<Bytes>) -> Self {
        Self::encode(Inner::ack(namespace, parts(arguments, binaries), id))
    }

    /// The client is in the namespace, under this id.
    pub(crate) fn connected(namespace: Str, id: &str) -> Self {
        let welcome = json!({ "sid": id }).to_string();
        Self::encode(Inner::connect(namespace, Some(Parts::Str(welcome.into(), None))))
    }

    /// The client is not let into the namespace.
    pub(crate) fn refused(namespace: Str, message: &str) -> Self {
        Self::encode(Inner::connect_error(namespace, message))
    }

    /// The client has to leave the namespace.
    pub(crate) fn disconnected(namespace: Str) -> Self {
        Self::encode(Inner::disconnect(namespace))
    }

    fn encode(packet: Inner) -> Self {
        let (text, binaries) = match CommonParser.encode(packet) {
            Parts::Str(text, binaries) => (text, binaries.unwrap_or_default()),
            Parts::Bytes(only) => (Str::default(), VecDeque::from([only])),
        };
        Self {
            text: format!("4{text}").into(),
            binaries,
        }
    }
}

fn parts(arguments: &[Value], binaries: VecDeque<Bytes>) -> Parts {
    let text = Value::from(arguments.to_vec()).to_string();
    Parts::Str(text.into(), (!binaries.is_empty()).then_some(binaries))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packets_look_as_the_protocol_says() {
        let event = Packet::event("new_message", &json!({ "id": 1 }));
        assert_eq!(event.text.as_str(), r#"42["new_message",{"id":1}]"#);
        let ack = Packet::ack("/".into(), 7, &[json!({ "success": true })], VecDeque::new());
        assert_eq!(ack.text.as_str(), r#"437[{"success":true}]"#);
        let there = Packet::connected("/admin".into(), "abc");
        assert_eq!(there.text.as_str(), r#"40/admin,{"sid":"abc"}"#);
        let refused = Packet::refused("/x".into(), "Invalid namespace");
        assert_eq!(refused.text.as_str(), r#"44/x,{"message":"Invalid namespace"}"#);
        assert_eq!(Packet::disconnected("/".into()).text.as_str(), "41");
        let arguments = [json!({ "_placeholder": true, "num": 0 })];
        let binary = Packet::event_in(
            "/",
            "picture",
            &arguments,
            VecDeque::from([Bytes::from_static(b"x")]),
        );
        assert_eq!(
            binary.text.as_str(),
            r#"451-["picture",{"_placeholder":true,"num":0}]"#
        );
        assert_eq!(binary.binaries.len(), 1);
    }
}
