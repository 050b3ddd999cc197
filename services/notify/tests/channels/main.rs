//! The channels against real peers: the development sink, independent servers and
//! clients in Node, servers made for one test, and providers that die.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that cannot go on should stop where it stands"
)]

mod failover;
mod fcm;
mod settings;
mod sink;
mod sink_smtp;
mod smtp;
mod support;
mod tls;
mod twilio;
mod web_push;
