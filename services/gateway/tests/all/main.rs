//! The gateway as frontends and attackers meet it: over sockets, before services that
//! behave and services that do not.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that cannot go on should stop where it stands"
)]

mod support;

mod breaking;
mod demo;
mod documents;
mod edge;
mod handing;
mod health;
mod limits;
mod logged;
mod passage;
mod realtime;
mod restarts;
mod smuggling;
mod sockets;
mod streaming;
mod tokens;
