//! The way in for connections that this process accepted elsewhere.

use std::any::Any;
use std::sync::Arc;

use bytes::Bytes;
use tokio::sync::mpsc;

/// Connections that wait to be taken.
const WAITING: usize = 1024;

/// Takes them. Cheap to clone.
#[derive(Clone)]
pub struct Door(mpsc::Sender<Handed>);

/// One of them.
pub(crate) struct Handed {
    pub(crate) stream: std::net::TcpStream,
    pub(crate) said: Bytes,
    pub(crate) held: Box<dyn Any + Send + Sync>,
}

impl Door {
    pub(crate) fn new() -> (Self, mpsc::Receiver<Handed>) {
        let (sender, receiver) = mpsc::channel(WAITING);
        (Self(sender), receiver)
    }

    /// Takes a connection with one request on it, of which `said` is what was read, and drops `held` with it. Does not
    /// wait: where too many do, and after the listener's end, the connection is closed.
    pub fn take(&self, stream: std::net::TcpStream, said: Bytes, held: Box<dyn Any + Send + Sync>) {
        let handed = Handed { stream, said, held };
        if self.0.try_send(handed).is_err() {
            tracing::debug!("a connection that was handed over was closed");
        }
    }
}

/// What whoever handed a connection over keeps for as long as it lives.
#[derive(Clone)]
pub(crate) struct Kept(
    #[expect(dead_code, reason = "it is there to be dropped")] pub(crate) Arc<dyn Any + Send + Sync>,
);
