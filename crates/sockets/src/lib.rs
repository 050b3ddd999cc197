//! Live connections: Socket.IO protocol 5 over Engine.IO protocol 4 (polling and
//! WebSocket), and plain `WebSockets`, on a listener of their own.
//!
//! The transport is engineioxide's and the packet format socketioxide's parser's. What is
//! between them is here, because an ordered stream needs two things of it: a packet is
//! encoded once ([`Packet`]) however many connections it goes to, and a connection that
//! cannot take it says so ([`SendError::Full`]) instead of dropping it.

mod app;
mod conn;
mod engine;
mod inbox;
mod listener;
mod packet;
mod sessions;
mod slim;
mod websocket;

pub use app::{App, Event, Gone};
pub use conn::{Conn, SendError};
pub use listener::{Listener, Settings};
pub use packet::Packet;
pub use websocket::{Pending, WebSocket, accept, refuse};

/// A request that is not Socket.IO's, and its answer.
pub type Request = http::Request<hyper::body::Incoming>;
/// An answer with a small body.
pub type Response = http::Response<http_body_util::Full<bytes::Bytes>>;
