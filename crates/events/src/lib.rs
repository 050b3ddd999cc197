//! The backbone: events are written to an outbox in the transaction of their
//! effect, relayed to the broker in order, and take effect once in each service
//! that consumes them.
//!
//! The promises, each proved by a test in `tests/`:
//! - an event is published if and only if its transaction commits;
//! - the events of one aggregate reach a consumer in the order of their commits;
//! - an event takes effect exactly once in each consuming service, whatever dies;
//! - an event that cannot be handled is kept, and later ones of its aggregate wait.

pub mod admin;
pub mod docs;
pub mod realtime;
pub mod retention;
pub mod watch;

mod backoff;
mod broker;
mod consumer;
mod envelope;
mod ephemeral;
mod failure;
mod hash;
mod listeners;
mod metric;
mod publish;
mod relay;
mod settings;
mod topology;
mod trace;

pub use broker::{Broker, BrokerError, Channel};
pub use consumer::{Consumer, Gather, HandlerFuture, Incoming};
pub use envelope::{Envelope, Malformed};
pub use failure::{Cause, Failure};
pub use publish::{Announced, AuditEntry, Batch, Draft, MAX_PAYLOAD, Many, audit, publish};
pub use realtime::Realtime;
pub use relay::Relay;
pub use settings::{BrokerSettings, ConsumerSettings, RelaySettings};
pub use topology::{DURABLE_EXCHANGE, LOG_STREAM, REALTIME_EXCHANGE, dead_queue, queue};

use parlour_db::EmbeddedMigrations;

/// The tables that every publishing or consuming service has in its schema.
pub const MIGRATIONS: EmbeddedMigrations = diesel_migrations::embed_migrations!("migrations");
