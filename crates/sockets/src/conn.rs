//! One client in one namespace.

use std::collections::VecDeque;
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use engineioxide::socket::DisconnectReason;
use engineioxide::{Socket, Str, TransportType};
use http::request::Parts;
use rand::distr::{Alphanumeric, SampleString as _};
use serde::Serialize;
use serde_json::{Value, json};
use socketioxide_core::parser::ParserState;
use tokio::sync::mpsc::error::TrySendError;

use crate::inbox::Inbox;
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

/// What is kept with an Engine.IO connection.
pub(crate) struct Link<S: Send + Sync + 'static> {
    pub(crate) parser: ParserState,
    pub(crate) inbox: Mutex<Inbox>,
    /// The namespaces that the client is in. Emptied when the connection ends.
    pub(crate) conns: Mutex<Vec<Arc<Conn<S>>>>,
    /// Why the connection was ended by us.
    pub(crate) why: OnceLock<Gone>,
    ended: AtomicBool,
}

impl<S: Send + Sync + 'static> Default for Link<S> {
    fn default() -> Self {
        Self {
            parser: ParserState::default(),
            inbox: Mutex::default(),
            conns: Mutex::default(),
            why: OnceLock::new(),
            ended: AtomicBool::new(false),
        }
    }
}

impl<S: Send + Sync + 'static> Link<S> {
    pub(crate) fn find(&self, namespace: &str) -> Option<Arc<Conn<S>>> {
        let conns = self.conns.lock().unwrap_or_else(PoisonError::into_inner);
        conns
            .iter()
            .find(|conn| conn.namespace.as_str() == namespace)
            .cloned()
    }

    pub(crate) fn remove(&self, namespace: &str) -> Option<Arc<Conn<S>>> {
        let mut conns = self.conns.lock().unwrap_or_else(PoisonError::into_inner);
        let place = conns
            .iter()
            .position(|conn| conn.namespace.as_str() == namespace)?;
        Some(conns.swap_remove(place))
    }
}

/// Ends a connection, once. The first reason that is given holds.
pub(crate) fn end<S: Default + Send + Sync + 'static>(
    engine: &Socket<Link<S>>,
    why: Gone,
    reason: DisconnectReason,
) {
    engine.data.why.set(why).ok();
    if !engine.data.ended.swap(true, Ordering::AcqRel) {
        engine.close(reason);
    }
}

/// One client in one namespace.
pub struct Conn<S: Send + Sync + 'static> {
    id: Box<str>,
    namespace: Str,
    engine: Arc<Socket<Link<S>>>,
    open: AtomicBool,
    /// What the program keeps with it.
    pub state: S,
}

impl<S: Default + Send + Sync + 'static> Conn<S> {
    pub(crate) fn new(namespace: Str, engine: Arc<Socket<Link<S>>>) -> Self {
        Self {
            // The id is told to the client. It is not the transport's, which would let
            // whoever knows it speak on this connection.
            id: Alphanumeric.sample_string(&mut rand::rng(), 20).into(),
            namespace,
            engine,
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
        &self.engine.req_parts
    }

    /// Puts a packet at the end of what waits for the client.
    pub fn send(&self, packet: &Packet) -> Result<(), SendError> {
        if !self.open.load(Ordering::Acquire) {
            return Err(SendError::Gone);
        }
        self.put(packet)
    }

    pub(crate) fn put(&self, packet: &Packet) -> Result<(), SendError> {
        let place = self.engine.reserve().map_err(|error| match error {
            TrySendError::Full(()) => SendError::Full,
            TrySendError::Closed(()) => SendError::Gone,
        })?;
        if packet.binaries.is_empty() {
            place.emit(packet.text.clone());
        } else {
            place.emit_many(packet.text.clone(), packet.binaries.clone());
        }
        Ok(())
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
        if told.is_err() || self.engine.transport_type() != TransportType::Polling {
            return self.close();
        }
        // It hears it when it polls next, and would come back if its session were unknown by then.
        self.engine.data.why.set(Gone::Closed).ok();
        let engine = self.engine.clone();
        tokio::spawn(async move {
            tokio::time::timeout(LAST_POLL, engine.closed()).await.ok();
            end(&engine, Gone::Closed, DisconnectReason::TransportClose);
        });
    }

    /// Ends the connection under it. A client that is to come back does so by itself.
    pub fn close(&self) {
        self.open.store(false, Ordering::Release);
        end(&self.engine, Gone::Closed, DisconnectReason::TransportClose);
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
