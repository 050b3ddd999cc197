//! The document after the `AsyncAPI` 3.0 specification.

use serde_json::{Map, Value, json};

use super::model::{Event, Field, Kind, Message, Model};
use super::{Registered, consumers_of, yaml};
use crate::DURABLE_EXCHANGE;

/// The content of `docs/asyncapi.yaml`.
pub fn asyncapi(registered: &[Registered]) -> String {
    let model = Model::load();
    let document = json!({
        "asyncapi": "3.0.0",
        "info": {
            "title": "Parlour events",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "Domain events over RabbitMQ. Payloads are protobuf; the schemas here describe their JSON form. docs/EVENTS.md says more.",
            "license": { "name": "Apache-2.0" },
        },
        "defaultContentType": "application/protobuf",
        "channels": object(model.events.iter().map(|e| (id(e), channel(e)))),
        "operations": operations(&model, registered),
        "components": {
            "messages": object(model.events.iter().map(|e| (id(e), message(&model, e)))),
            "messageTraits": { "cloudEvent": cloud_event() },
            "schemas": schemas(&model),
        },
    });
    format!(
        "# Generated; `{}` writes it anew.\n{}",
        super::REGENERATE,
        yaml::write(&document)
    )
}

fn object(entries: impl Iterator<Item = (String, Value)>) -> Value {
    Value::Object(entries.collect::<Map<_, _>>())
}

/// Identifiers hold letters, digits, dots, dashes and underscores.
fn id(event: &Event) -> String {
    event.event_type.replace("*.", "any.")
}

fn reference(path: &str) -> Value {
    json!({ "$ref": format!("#/{path}") })
}

fn channel(event: &Event) -> Value {
    let id = id(event);
    let mut channel = json!({
        "address": event.event_type.replace('*', "{service}"),
        "messages": { &id: reference(&format!("components/messages/{id}")) },
        "bindings": { "amqp": {
            "is": "routingKey",
            "exchange": { "name": DURABLE_EXCHANGE, "type": "topic", "durable": true, "autoDelete": false },
            "bindingVersion": "0.3.0",
        } },
    });
    if event.event_type.starts_with('*')
        && let Value::Object(map) = &mut channel
    {
        let service = json!({ "service": { "description": "The publishing service." } });
        map.insert("parameters".to_owned(), service);
    }
    channel
}

fn operations(model: &Model, registered: &[Registered]) -> Value {
    let mut operations = Map::new();
    for event in &model.events {
        let id = id(event);
        let operation = |action: &str, summary: String| {
            json!({
                "action": action,
                "summary": summary,
                "channel": reference(&format!("channels/{id}")),
                "messages": [reference(&format!("channels/{id}/messages/{id}"))],
            })
        };
        let publisher = id.split('.').next().unwrap_or_default();
        let summary = format!("{publisher} publishes {}", event.event_type);
        operations.insert(format!("publish.{id}"), operation("send", summary));
        for service in consumers_of(registered, &event.event_type) {
            let summary = format!("{service} consumes {}", event.event_type);
            operations.insert(format!("consume.{service}.{id}"), operation("receive", summary));
        }
    }
    Value::Object(operations)
}

fn message(model: &Model, event: &Event) -> Value {
    json!({
        "name": event.event_type,
        "title": event.message,
        "summary": model.message(event).map_or("", |m| m.comment.as_str()),
        "contentType": "application/protobuf",
        "traits": [reference("components/messageTraits/cloudEvent")],
        "payload": reference(&format!("components/schemas/{}", event.message)),
    })
}

fn cloud_event() -> Value {
    let text = |about: &str| json!({ "type": "string", "description": about });
    json!({ "headers": {
        "type": "object",
        "required": [
            "cloudEvents_specversion", "cloudEvents_id", "cloudEvents_type", "cloudEvents_source",
            "cloudEvents_subject", "cloudEvents_time", "cloudEvents_aggregateversion",
        ],
        "properties": {
            "cloudEvents_specversion": { "type": "string", "const": "1.0" },
            "cloudEvents_id": { "type": "string", "format": "uuid" },
            "cloudEvents_type": text("The event type, which is also the routing key."),
            "cloudEvents_source": text("The service that published it."),
            "cloudEvents_subject": text("The aggregate it happened to."),
            "cloudEvents_time": { "type": "string", "format": "date-time" },
            "cloudEvents_aggregateversion": text("Its number among the events of the aggregate, in decimal."),
            "traceparent": text("W3C trace context."),
        },
    } })
}

fn schemas(model: &Model) -> Value {
    let mut names = Vec::new();
    for event in &model.events {
        model.with_parts(&event.message, &mut names);
    }
    object(
        names
            .into_iter()
            .filter_map(|name| Some((name.clone(), schema(model.messages.get(&name)?)))),
    )
}

fn schema(message: &Message) -> Value {
    json!({
        "type": "object",
        "description": message.comment,
        "properties": object(message.fields.iter().map(|f| (f.name.clone(), property(f)))),
    })
}

fn property(field: &Field) -> Value {
    let mut one = match &field.kind {
        Kind::Scalar("string") | Kind::Enum(_) => json!({ "type": "string" }),
        Kind::Scalar("bytes") => json!({ "type": "string", "format": "byte" }),
        Kind::Scalar("bool") => json!({ "type": "boolean" }),
        Kind::Scalar("double" | "float") => json!({ "type": "number" }),
        Kind::Scalar(name) => json!({ "type": "integer", "format": name }),
        Kind::Message(name) => reference(&format!("components/schemas/{name}")),
    };
    if field.repeated {
        one = json!({ "type": "array", "items": one });
    }
    if let Value::Object(map) = &mut one {
        map.insert("x-protobuf-number".to_owned(), json!(field.number));
        if !field.comment.is_empty() {
            map.insert("description".to_owned(), json!(field.comment));
        }
    }
    one
}
