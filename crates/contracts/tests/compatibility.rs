//! Messages change only compatibly: what an earlier release published is read by
//! this one, and what this one publishes by an earlier one.
//!
//! `proto/released.txt` lists every field that was ever released, and
//! `proto/golden/` holds bytes of every event in every form it had, with what
//! they mean. Additions are written there by
//! `PARLOUR_WRITE_CONTRACTS=1 cargo test -p parlour-contracts --test compatibility`.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs, reason = "tests")]

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::PathBuf;

use parlour_contracts::{DESCRIPTORS, catalogue};
use prost_reflect::prost::Message as _;
use prost_reflect::{
    Cardinality, DescriptorPool, DynamicMessage, FieldDescriptor, Kind, MessageDescriptor, SerializeOptions,
    Value,
};
use serde_json::json;

const HOW: &str = "PARLOUR_WRITE_CONTRACTS=1 cargo test -p parlour-contracts --test compatibility";

fn proto() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../proto")
}

fn writing() -> bool {
    std::env::var_os("PARLOUR_WRITE_CONTRACTS").is_some()
}

fn pool() -> DescriptorPool {
    DescriptorPool::decode(DESCRIPTORS).unwrap()
}

/// One line for each field and enum value, sorted.
fn listing(pool: &DescriptorPool) -> BTreeSet<String> {
    let mut lines = BTreeSet::new();
    for message in pool
        .all_messages()
        .filter(|m| m.full_name().starts_with("parlour."))
    {
        lines.insert(format!("message {}", message.full_name()));
        for field in message.fields() {
            lines.insert(line(&message, &field));
        }
    }
    for kind in pool.all_enums().filter(|e| e.full_name().starts_with("parlour.")) {
        for value in kind.values() {
            lines.insert(format!(
                "value {} {} {}",
                kind.full_name(),
                value.number(),
                value.name()
            ));
        }
    }
    lines
}

fn line(message: &MessageDescriptor, field: &FieldDescriptor) -> String {
    let shape = match (field.cardinality(), field.containing_oneof()) {
        (Cardinality::Repeated, _) => "repeated ".to_owned(),
        (_, Some(oneof)) if field.is_optional_of(&oneof) => "optional ".to_owned(),
        (_, Some(oneof)) => format!("oneof({}) ", oneof.name()),
        _ => String::new(),
    };
    let kind = match field.kind() {
        Kind::Message(m) => m.full_name().to_owned(),
        Kind::Enum(e) => e.full_name().to_owned(),
        scalar => format!("{scalar:?}").to_lowercase(),
    };
    format!(
        "field {} {:>3} {} {shape}{kind}",
        message.full_name(),
        field.number(),
        field.name()
    )
}

/// `optional` is a oneof of its own in the descriptors.
trait Synthetic {
    fn is_optional_of(&self, oneof: &prost_reflect::OneofDescriptor) -> bool;
}

impl Synthetic for FieldDescriptor {
    fn is_optional_of(&self, oneof: &prost_reflect::OneofDescriptor) -> bool {
        self.field_descriptor_proto().proto3_optional() && oneof.fields().len() == 1
    }
}

#[test]
fn no_released_field_was_removed_renumbered_or_retyped() {
    let path = proto().join("released.txt");
    let released: BTreeSet<String> = std::fs::read_to_string(&path)
        .unwrap_or_default()
        .lines()
        .map(str::to_owned)
        .collect();
    let current = listing(&pool());
    let broken: Vec<_> = released.difference(&current).collect();
    assert!(
        broken.is_empty(),
        "released and no longer there as it was (add fields instead): {broken:#?}"
    );
    if writing() {
        let text = current
            .iter()
            .fold(String::new(), |text, line| text + line + "\n");
        std::fs::write(&path, text).unwrap();
    } else {
        let added: Vec<_> = current.difference(&released).collect();
        assert!(
            added.is_empty(),
            "not in proto/released.txt yet (run `{HOW}`): {added:#?}"
        );
    }
}

#[test]
fn golden_bytes_of_every_form_are_still_understood() {
    let pool = pool();
    let mut events: Vec<(&str, &str)> = catalogue::ALL.to_vec();
    events.push(("any.audit.recorded", "parlour.events.v1.AuditRecorded"));
    for (event, name) in events {
        let descriptor = pool.get_message_by_name(name).unwrap();
        let path = proto().join(format!("golden/{event}.jsonl"));
        let mut text = std::fs::read_to_string(&path).unwrap_or_default();
        let now = sample(&descriptor, 0);
        let entry = json!({ "bytes": hex(&now.encode_to_vec()), "means": meaning(&now) }).to_string();
        if !text.lines().any(|line| line == entry) {
            assert!(writing(), "{event} has a form without golden bytes: run `{HOW}`");
            writeln!(text, "{entry}").unwrap();
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(&path, &text).unwrap();
        }
        for line in text.lines() {
            let golden: serde_json::Value = serde_json::from_str(line).unwrap();
            let bytes = unhex(golden["bytes"].as_str().unwrap());
            let read = DynamicMessage::decode(descriptor.clone(), bytes.as_slice()).unwrap();
            assert_eq!(
                read.unknown_fields().count(),
                0,
                "{event}: a field is not understood any more"
            );
            assert_eq!(meaning(&read), golden["means"], "{event}");
        }
    }
}

/// What is in a message, defaults left out: an older form lacks the newer fields.
fn meaning(message: &DynamicMessage) -> serde_json::Value {
    let options = SerializeOptions::new()
        .use_proto_field_name(true)
        .skip_default_fields(true);
    message
        .serialize_with_options(serde_json::value::Serializer, &options)
        .unwrap()
}

/// A message with every field set to something that tells it from the others.
fn sample(descriptor: &MessageDescriptor, depth: u32) -> DynamicMessage {
    let mut message = DynamicMessage::new(descriptor.clone());
    for field in descriptor.fields() {
        if let Some(value) = value(&field, depth) {
            let value = if field.is_list() {
                Value::List(vec![value.clone(), value])
            } else {
                value
            };
            message.set_field(&field, value);
        }
    }
    message
}

fn value(field: &FieldDescriptor, depth: u32) -> Option<Value> {
    let number = field.number();
    Some(match field.kind() {
        Kind::String => Value::String(format!("{} نص {number}", field.name())),
        Kind::Bytes => Value::Bytes(vec![0, 255, u8::try_from(number % 256).unwrap()].into()),
        Kind::Bool => Value::Bool(true),
        Kind::Double => Value::F64(f64::from(number) + 0.5),
        Kind::Float => Value::F32(0.5),
        Kind::Int32 | Kind::Sint32 | Kind::Sfixed32 => Value::I32(-i32::try_from(number).unwrap() - 1000),
        Kind::Int64 | Kind::Sint64 | Kind::Sfixed64 => Value::I64((1 << 41) + i64::from(number)),
        Kind::Uint32 | Kind::Fixed32 => Value::U32(number + 1000),
        Kind::Uint64 | Kind::Fixed64 => Value::U64((1 << 60) + u64::from(number)),
        Kind::Enum(kind) => Value::EnumNumber(kind.values().last()?.number()),
        Kind::Message(_) if field.is_map() || depth > 2 => return None,
        Kind::Message(part) => Value::Message(sample(&part, depth + 1)),
    })
}

fn hex(bytes: &[u8]) -> String {
    bytes
        .iter()
        .fold(String::new(), |hex, byte| hex + &format!("{byte:02x}"))
}

fn unhex(hex: &str) -> Vec<u8> {
    (0..hex.len())
        .step_by(2)
        .map(|i| u8::from_str_radix(&hex[i..i + 2], 16).unwrap())
        .collect()
}
