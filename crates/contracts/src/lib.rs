//! What services share about each other: the generated events, ids, roles and
//! permissions. No IO, no framework.

pub mod id;
pub mod names;
pub mod role;

mod generated {
    #![allow(missing_docs, unreachable_pub, clippy::pedantic)]
    include!(concat!(env!("OUT_DIR"), "/parlour.rs"));
}

pub use generated::parlour::*;
pub use role::{Level, Permission, Role};

/// The descriptors of everything in `proto/`, comments included, encoded as a `FileDescriptorSet`.
pub const DESCRIPTORS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/descriptors.bin"));

/// A message that may be published as a domain event.
pub trait Event: prost::Message + Default {
    /// The event type and routing key, such as `identity.account.registered`.
    const TYPE: &'static str;
    /// The full name of the message in `proto/`.
    const PROTO: &'static str;
}

/// The events that exist.
pub mod catalogue {
    use super::Event;
    include!(concat!(env!("OUT_DIR"), "/catalogue.rs"));
}

/// The type of the audit event that `service` publishes.
pub fn audit_type(service: &str) -> String {
    format!("{service}.audit.recorded")
}
