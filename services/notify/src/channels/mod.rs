//! The outside world: what carries a message to an address. Nothing here knows the
//! database; what is queued, retried or given up is decided by who calls.

mod message;

pub use message::{Address, Class, Content, Outgoing, Refused, Sent};
