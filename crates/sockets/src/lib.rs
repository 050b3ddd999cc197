//! Live connections: Socket.IO protocol 5 over Engine.IO protocol 4 (polling and
//! WebSocket), and plain `WebSockets`, on a listener of their own.
//!
//! Packets are socketioxide's parser's; sessions and transports are here, because streams
//! for many clients need some things of them: a packet is encoded once ([`Packet`]) however
//! many connections it goes to, a connection that cannot take it says so
//! ([`SendError::Full`]) instead of dropping it, and one that is idle costs little.

mod app;
mod asked;
mod conn;
mod door;
mod engine;
mod inbox;
mod link;
mod listener;
mod packet;
mod polling;
mod slim;
mod socket;
mod websocket;
mod wire;

pub use app::{App, Event, Gone};
pub use conn::{Conn, SendError};
pub use door::Door;
pub use listener::{Listener, Settings};
pub use packet::Packet;
pub use websocket::{Pending, WebSocket, accept, refuse};

/// A request that is not Socket.IO's, and its answer.
pub type Request = http::Request<hyper::body::Incoming>;
/// An answer with a small body.
pub type Response = http::Response<http_body_util::Full<bytes::Bytes>>;
