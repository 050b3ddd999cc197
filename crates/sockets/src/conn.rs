//! One client in one namespace.

use std::collections::VecDeque;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bytes::Bytes;
use http::request::Parts;
use rand::distr::{Alphanumeric, SampleString as _};
use serde::Serialize;
use serde_json::{Value, json};
use socketioxide_core::Str;

use crate::link::{Link, Transport};
use crate::{Gone, Packet};

/// How long a client that polls may take to hear that it has to leave.
const LAST_POLL: Duration = Duration::from_secs(5);

/// Why a packet did not go out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SendError {
    /// The client does not take what waits for it already.
    Full,
    /// The client is gone.
    Gone,
}

/// One client in one namespace.
pub struct Conn<S: Send + Sync + 'static> {
    id: Box<str>,
    namespace: Str,
    link: Arc<Link<S>>,
    open: AtomicBool,
    /// What the program keeps with it.
    pub state: S,
}

impl<S: Send + Sync + 'static> Conn<S> {
    pub(crate) fn new(namespace: Str, link: Arc<Link<S>>) -> Self
    where
        S: Default,
    {
        Self {
            // The id is told to the client. It is not the transport's, which would let
            // whoever knows it speak on this connection.
            id: Alphanumeric.sample_string(&mut rand::rng(), 20).into(),
            namespace,
            link,
            open: AtomicBool::new(true),
            state: S::default(),
        }
    }

    /// What the client knows itself by.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Where it is.
    pub fn namespace(&self) -> &str {
        &self.namespace
    }

    /// The request that it came with. Of its headers only those are kept that say who
    /// sends it and from where.
    pub fn request(&self) -> &Parts {
        &self.link.request
    }

    /// Puts a packet at the end of what waits for the client.
    pub fn send(&self, packet: &Packet) -> Result<(), SendError> {
        if !self.open.load(Ordering::Acquire) {
            return Err(SendError::Gone);
        }
        self.put(packet)
    }

    pub(crate) fn put(&self, packet: &Packet) -> Result<(), SendError> {
        self.link.send(packet)
    }

    /// Tells something to this client alone.
    pub fn emit(&self, name: &str, argument: &impl Serialize) -> Result<(), SendError> {
        self.send(&Packet::event(name, argument))
    }

    /// Answers the event that asked for it under this number.
    pub fn acknowledge(&self, id: i64, argument: &impl Serialize) -> Result<(), SendError> {
        let argument = serde_json::to_value(argument).unwrap_or(json!(null));
        self.acknowledge_all(id, &[argument], VecDeque::new())
    }

    /// The same with any arguments and attachments.
    pub fn acknowledge_all(
        &self,
        id: i64,
        arguments: &[Value],
        binaries: VecDeque<Bytes>,
    ) -> Result<(), SendError> {
        self.send(&Packet::ack(self.namespace.clone(), id, arguments, binaries))
    }

    /// Sends the client out of the namespace. It does not come back by itself.
    pub fn disconnect(&self) {
        if !self.open.swap(false, Ordering::AcqRel) {
            return self.close();
        }
        // Whoever does not take this either is cut off by what follows.
        let told = self.put(&Packet::disconnected(self.namespace.clone()));
        if told.is_err() || self.link.transport() == Transport::WebSocket {
            return self.close();
        }
        // It hears it when it polls next, and would come back if its session were unknown by then.
        self.link.leave();
        let link = Arc::downgrade(&self.link);
        tokio::spawn(async move {
            tokio::time::sleep(LAST_POLL).await;
            if let Some(link) = link.upgrade() {
                link.end(Gone::Closed);
            }
        });
    }

    /// Ends the connection under it. A client that is to come back does so by itself.
    pub fn close(&self) {
        self.open.store(false, Ordering::Release);
        self.link.end(Gone::Closed);
    }

    /// Nothing more goes out.
    pub(crate) fn shut(&self) {
        self.open.store(false, Ordering::Release);
    }

    /// Whether it has not ended.
    pub fn is_open(&self) -> bool {
        self.open.load(Ordering::Acquire)
    }
}

impl<S: Send + Sync + 'static> fmt::Debug for Conn<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Conn")
            .field("id", &self.id)
            .field("namespace", &self.namespace.as_str())
            .finish_non_exhaustive()
    }
}
