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
//! | `smtp/`, `twilio/`, `webpush/`, `fcm/`, `push.rs` | the kinds of provider |
//!
//! ```no_run
//! # use parlour_notify::{channels::{self, Providers}, sink::Sink};
//! # async fn build(context: parlour_chassis::Context) -> anyhow::Result<Providers> {
//! let settings: channels::Settings = context.config()?;
//! let sink = if settings.use_sink() {
//!     let (environment, folder) = (context.environment(), context.outbox()?);
//!     Some(Sink::start(&settings.sink, environment, &folder, context.stop.clone()).await?)
//! } else {
//!     None
//! };
//! let providers = Providers::new(&settings, sink.as_ref(), &context.clock)?;
//! # Ok(providers)
//! # }
//! ```
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
