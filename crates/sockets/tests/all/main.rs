//! Connections as a program and its clients meet them: those that behave, those that
//! flood, those that stop reading, and the official client.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that cannot go on should stop where it stands"
)]

mod support;

mod handed;
mod lives;
mod official;
mod plain;
mod pressure;
mod seats;
