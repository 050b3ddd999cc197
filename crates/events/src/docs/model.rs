//! The events, as the descriptors describe them.

use std::collections::BTreeMap;

use parlour_contracts::{DESCRIPTORS, catalogue};
use prost::Message as _;
use prost_reflect::prost_types::{
    DescriptorProto, FieldDescriptorProto, FileDescriptorProto, FileDescriptorSet,
    field_descriptor_proto::{Label, Type},
    source_code_info::Location,
};

/// A message with its comments.
#[derive(Clone, Debug)]
pub(super) struct Message {
    /// Without a leading dot.
    pub(super) name: String,
    pub(super) comment: String,
    pub(super) fields: Vec<Field>,
}

#[derive(Clone, Debug)]
pub(super) struct Field {
    pub(super) number: i32,
    pub(super) name: String,
    pub(super) comment: String,
    pub(super) repeated: bool,
    pub(super) kind: Kind,
}

#[derive(Clone, Debug)]
pub(super) enum Kind {
    Scalar(&'static str),
    Message(String),
    Enum(String),
}

/// An event type and its message.
#[derive(Clone, Debug)]
pub(super) struct Event {
    pub(super) event_type: String,
    pub(super) message: String,
}

pub(super) struct Model {
    pub(super) events: Vec<Event>,
    /// By full name.
    pub(super) messages: BTreeMap<String, Message>,
    /// What each domain's file says at its top.
    pub(super) domains: BTreeMap<String, String>,
}

pub(super) const AUDIT_TYPE: &str = "*.audit.recorded";

impl Model {
    pub(super) fn load() -> Self {
        let set = FileDescriptorSet::decode(DESCRIPTORS).unwrap_or_default();
        let mut messages = BTreeMap::new();
        let mut domains = BTreeMap::new();
        for file in &set.file {
            for (index, message) in file.message_type.iter().enumerate() {
                let path = vec![4, place(index)];
                collect(file, file.package(), message, &path, &mut messages);
            }
            if file.name().ends_with("/events.proto") {
                let domain = file.package().split('.').nth(1).unwrap_or_default();
                domains.insert(domain.to_owned(), file_comment(file));
            }
        }
        let mut events: Vec<Event> = catalogue::ALL
            .iter()
            .map(|(event_type, message)| Event {
                event_type: (*event_type).to_owned(),
                message: (*message).to_owned(),
            })
            .collect();
        events.push(Event {
            event_type: AUDIT_TYPE.to_owned(),
            message: "parlour.events.v1.AuditRecorded".to_owned(),
        });
        Self {
            events,
            messages,
            domains,
        }
    }

    pub(super) fn message(&self, event: &Event) -> Option<&Message> {
        self.messages.get(&event.message)
    }

    /// The messages that `name` is made of, itself first.
    pub(super) fn with_parts(&self, name: &str, found: &mut Vec<String>) {
        if found.iter().any(|f| f == name) {
            return;
        }
        found.push(name.to_owned());
        for field in self.messages.get(name).iter().flat_map(|m| &m.fields) {
            if let Kind::Message(part) = &field.kind {
                self.with_parts(part, found);
            }
        }
    }
}

fn place(index: usize) -> i32 {
    i32::try_from(index).unwrap_or(i32::MAX)
}

fn collect(
    file: &FileDescriptorProto,
    scope: &str,
    message: &DescriptorProto,
    path: &[i32],
    found: &mut BTreeMap<String, Message>,
) {
    let name = format!("{scope}.{}", message.name());
    for (index, nested) in message.nested_type.iter().enumerate() {
        let path = [path, &[3, place(index)]].concat();
        collect(file, &name, nested, &path, found);
    }
    let fields = message.field.iter().enumerate().map(|(index, field)| Field {
        number: field.number(),
        name: field.name().to_owned(),
        comment: comment(file, &[path, &[2, place(index)]].concat()),
        repeated: field.label() == Label::Repeated,
        kind: kind(field),
    });
    let described = Message {
        name: name.clone(),
        comment: comment(file, path),
        fields: fields.collect(),
    };
    found.insert(name, described);
}

fn kind(field: &FieldDescriptorProto) -> Kind {
    let named = || field.type_name().trim_start_matches('.').to_owned();
    match field.r#type() {
        Type::Message | Type::Group => Kind::Message(named()),
        Type::Enum => Kind::Enum(named()),
        Type::Double => Kind::Scalar("double"),
        Type::Float => Kind::Scalar("float"),
        Type::Int64 => Kind::Scalar("int64"),
        Type::Uint64 => Kind::Scalar("uint64"),
        Type::Int32 => Kind::Scalar("int32"),
        Type::Fixed64 => Kind::Scalar("fixed64"),
        Type::Fixed32 => Kind::Scalar("fixed32"),
        Type::Bool => Kind::Scalar("bool"),
        Type::String => Kind::Scalar("string"),
        Type::Bytes => Kind::Scalar("bytes"),
        Type::Uint32 => Kind::Scalar("uint32"),
        Type::Sfixed32 => Kind::Scalar("sfixed32"),
        Type::Sfixed64 => Kind::Scalar("sfixed64"),
        Type::Sint32 => Kind::Scalar("sint32"),
        Type::Sint64 => Kind::Scalar("sint64"),
    }
}

/// The comment before the declaration at `path`, on one line.
fn comment(file: &FileDescriptorProto, path: &[i32]) -> String {
    let locations = file.source_code_info.iter().flat_map(|info| &info.location);
    let found = locations.into_iter().find(|l| l.path == path);
    let text = found.map(Location::leading_comments).unwrap_or_default();
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The comment at the top of the file, before `syntax`.
fn file_comment(file: &FileDescriptorProto) -> String {
    comment(file, &[12])
}
