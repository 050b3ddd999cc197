//! The outside world: what carries a message to an address. Nothing here knows the
//! database; what is queued, retried or given up is decided by who calls.
//!
//! [`Providers::carry`] is the way in. It finds the providers of the address's channel,
//! asks them in the configured order, and answers either who took the message or why
//! nobody did, in classes that say what to do next.
//!
//! | file | what |
//! |---|---|
//! | `message.rs` | what is carried and what is answered |
//! | `settings/`, `config.toml` | who is asked |
//! | `providers.rs`, `provider.rs` | the order, fail-over, figures |
//! | `breaker.rs`, `circuit.rs` | who is left out for a while |
//! | `smtp/`, `twilio/`, `webpush/`, `fcm/` | the kinds of provider |
//!
//! Addresses, texts and keys are never logged: a provider's words are cleared of the
//! address before they are kept.

mod attempt;
pub mod breaker;
mod carrier;
mod circuit;
mod client;
mod fcm;
mod message;
mod provider;
mod providers;
mod push;
pub mod settings;
pub(crate) mod smtp;
pub mod twilio;
pub mod webpush;

pub use message::{Address, Class, Content, Outgoing, Refused, Sent};
pub use providers::Providers;
pub use settings::Settings;
