//! The page for people.

use super::model::{Event, Field, Kind, Message, Model};
use super::{REGENERATE, Registered, consumers_of};
use crate::{DURABLE_EXCHANGE, LOG_STREAM, REALTIME_EXCHANGE};

/// The content of `docs/EVENTS.md`.
pub fn markdown(registered: &[Registered]) -> String {
    let model = Model::load();
    let mut page = introduction();
    page.push_str("\n## Types\n\n| type | what it says | consumed by |\n|---|---|---|\n");
    for event in &model.events {
        let about = text(model.message(event).map_or("", |m| m.comment.as_str()));
        let readers = consumers_of(registered, &event.event_type).join(", ");
        line(
            &mut page,
            &format!(
                "| [`{0}`](#{1}) | {about} | {readers} |",
                event.event_type,
                anchor(event)
            ),
        );
    }
    let mut domain = "";
    for event in &model.events {
        let of = event.event_type.split('.').next().unwrap_or_default();
        if of != domain {
            domain = of;
            let title = if of == "*" { "every service" } else { of };
            line(&mut page, &format!("\n## {title}"));
            if let Some(about) = model.domains.get(of).filter(|text| !text.is_empty()) {
                line(&mut page, &format!("\n{}", text(about)));
            }
        }
        section(&mut page, &model, event, registered);
    }
    page
}

fn introduction() -> String {
    format!(
        "# Events\n\n\
         Generated from `proto/` and the registered consumers; do not edit. \
         `{REGENERATE}` writes it anew.\n\n\
         Every event is published to the durable topic exchange `{DURABLE_EXCHANGE}` with its type as \
         the routing key. Anybody may bind a queue of their own. The stream `{LOG_STREAM}` keeps the \
         last days of everything; what only matters to connected sockets goes over `{REALTIME_EXCHANGE}`.\n\n\
         ## Around every event\n\n\
         The body is the protobuf message (`application/protobuf`). The attributes are headers, after \
         the AMQP binding of CloudEvents 1.0:\n\n\
         | header | value |\n|---|---|\n\
         | `cloudEvents_specversion` | `1.0` |\n\
         | `cloudEvents_id` | UUIDv7, the same on every redelivery; also the message id |\n\
         | `cloudEvents_type` | the type below |\n\
         | `cloudEvents_source` | the service that published it |\n\
         | `cloudEvents_subject` | the aggregate that it happened to, such as `account:<id>` |\n\
         | `cloudEvents_aggregateversion` | its number among the events of the aggregate, from 1, without holes at the source |\n\
         | `cloudEvents_time` | when it was published, RFC 3339 UTC |\n\
         | `traceparent` | W3C trace context of what caused it, where there is one |\n\n\
         Delivery is at least once, and in order for each aggregate: a consumer skips an id that it has \
         seen, and needs no other order than that of the versions of one aggregate.\n\n\
         Messages change only compatibly: fields are added, never removed, renumbered or given another type.\n"
    )
}

fn section(page: &mut String, model: &Model, event: &Event, registered: &[Registered]) {
    line(page, &format!("\n### {}\n", event.event_type.replace('*', "\\*")));
    let Some(message) = model.message(event) else {
        return;
    };
    if !message.comment.is_empty() {
        line(page, &format!("{}\n", text(&message.comment)));
    }
    let readers = consumers_of(registered, &event.event_type);
    let readers = if readers.is_empty() {
        "nobody here".to_owned()
    } else {
        readers.join(", ")
    };
    line(
        page,
        &format!("Message `{}`, consumed by {readers}.\n", message.name),
    );
    table(page, message);
    let mut parts = Vec::new();
    model.with_parts(&event.message, &mut parts);
    for part in parts.iter().skip(1).filter_map(|name| model.messages.get(name)) {
        line(page, &format!("\n`{}`: {}\n", part.name, text(&part.comment)));
        table(page, part);
    }
}

fn table(page: &mut String, message: &Message) {
    page.push_str("| # | field | type | |\n|---|---|---|---|\n");
    for field in &message.fields {
        let about = text(&field.comment);
        line(
            page,
            &format!(
                "| {} | `{}` | {} | {about} |",
                field.number,
                field.name,
                kind(field)
            ),
        );
    }
}

fn kind(field: &Field) -> String {
    let name = match &field.kind {
        Kind::Scalar(name) => (*name).to_owned(),
        Kind::Message(name) | Kind::Enum(name) => format!("`{name}`"),
    };
    if field.repeated {
        format!("{name}, repeated")
    } else {
        name
    }
}

/// As the usual renderers make it from the heading.
fn anchor(event: &Event) -> String {
    event
        .event_type
        .chars()
        .filter(|c| c.is_alphanumeric() || *c == '_' || *c == '-')
        .collect()
}

/// A comment as Markdown takes it literally.
fn text(comment: &str) -> String {
    comment
        .replace('|', "\\|")
        .replace('<', "\\<")
        .replace('*', "\\*")
}

fn line(page: &mut String, text: &str) {
    page.push_str(text);
    page.push('\n');
}
