//! What a program does with its connections.

use std::collections::VecDeque;
use std::fmt::Debug;
use std::sync::Arc;

use bytes::Bytes;
use serde_json::Value;

use crate::{Conn, Request, Response};

/// Something a client said.
#[derive(Debug)]
pub struct Event {
    /// Its name.
    pub name: String,
    /// Its arguments; binary ones are placeholders for `binaries`.
    pub arguments: Vec<Value>,
    /// Its binary attachments.
    pub binaries: VecDeque<Bytes>,
    /// The number under which the client wants to hear how it went.
    pub ack: Option<i64>,
}

/// Why a connection ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gone {
    /// The client left.
    Left,
    /// The connection broke or stopped answering.
    Broken,
    /// The client sent what is no packet, or more than may wait.
    Refused,
    /// We closed it.
    Closed,
}

/// A program behind Socket.IO. What one client sends is handled one after the other.
pub trait App: Debug + Send + Sync + 'static {
    /// What is kept with each connection.
    type State: Default + Send + Sync + 'static;

    /// Whether there is such a namespace.
    fn has_namespace(&self, name: &str) -> bool;

    /// A client came into a namespace with this to say for itself; null when nothing.
    fn connected(
        self: &Arc<Self>,
        conn: Arc<Conn<Self::State>>,
        auth: Value,
    ) -> impl Future<Output = ()> + Send;

    /// A client said something.
    fn event(self: &Arc<Self>, conn: Arc<Conn<Self::State>>, event: Event)
    -> impl Future<Output = ()> + Send;

    /// A client is gone from a namespace. Told once, after everything else it said.
    fn disconnected(self: &Arc<Self>, conn: Arc<Conn<Self::State>>, gone: Gone);

    /// A request that is not Socket.IO's.
    fn request(self: &Arc<Self>, request: Request) -> impl Future<Output = Response> + Send;
}
