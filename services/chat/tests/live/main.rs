//! The live half of chat: real sockets, the real broker, on a database of each test's own.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that cannot go on should stop where it stands"
)]

mod bad_input;
mod flow;
mod gaps;
mod plain;
mod presence;
mod replicas;
mod sock;
mod stage;
mod tokens;
