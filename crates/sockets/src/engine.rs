//! Socket.IO on top of Engine.IO: namespaces, events, acknowledgements.

use std::fmt;
use std::sync::{Arc, PoisonError, Weak};
use std::time::Duration;

use bytes::Bytes;
use engineioxide::handler::EngineIoHandler;
use engineioxide::socket::DisconnectReason;
use engineioxide::{Socket, Str};
use serde_json::Value;
use socketioxide_core::Value as Parts;
use socketioxide_core::packet::{Packet as Inner, PacketData};
use socketioxide_core::parser::{Parse as _, ParseConfig, ParseError};
use socketioxide_parser_common::CommonParser;

use crate::conn::{Link, end};
use crate::inbox::{Item, Put};
use crate::sessions::Sessions;
use crate::{App, Conn, Event, Gone, Packet};

/// How long a client may take to come into a namespace.
const PATIENCE: Duration = Duration::from_secs(10);

/// Attachments of one packet: how many, and their bytes in all.
const MOST_BINARIES: usize = 16;
const MOST_BINARY_BYTES: usize = 1024 * 1024;

/// What engineioxide calls.
pub(crate) struct Engine<A: App> {
    app: Arc<A>,
    parsing: ParseConfig,
    patience: Duration,
    pub(crate) sessions: Arc<Sessions<A::State>>,
}

impl<A: App> fmt::Debug for Engine<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Engine").finish_non_exhaustive()
    }
}

type Sock<A> = Arc<Socket<Link<<A as App>::State>>>;

impl<A: App> Engine<A> {
    pub(crate) fn new(app: Arc<A>, patience: Option<Duration>) -> Self {
        Self {
            app,
            parsing: ParseConfig {
                max_incoming_binary_buf_size: MOST_BINARY_BYTES,
                max_incoming_binaries: MOST_BINARIES,
                packet_completion_timeout: PATIENCE,
            },
            patience: patience.unwrap_or(PATIENCE),
            sessions: Arc::default(),
        }
    }

    fn take(&self, packet: Result<Inner, ParseError>, socket: &Sock<A>) {
        let item = match packet {
            Ok(packet) => read(packet),
            Err(ParseError::NeedsMoreBinaryData) => return,
            Err(_) => None,
        };
        match item {
            Some(item) => self.put(item, socket),
            None => refuse(socket),
        }
    }

    fn put(&self, item: Item, socket: &Sock<A>) {
        let put = lock(&socket.data.inbox).put(item);
        match put {
            Put::Waits => {}
            Put::Full => refuse(socket),
            Put::First => {
                tokio::spawn(drain(self.app.clone(), socket.clone()));
            }
        }
    }
}

impl<A: App> EngineIoHandler for Engine<A> {
    type Data = Link<A::State>;

    fn on_connect(self: Arc<Self>, socket: Sock<A>) {
        self.sessions.add(&socket);
        let (socket, patience): (Weak<_>, _) = (Arc::downgrade(&socket), self.patience);
        tokio::spawn(async move {
            tokio::time::sleep(patience).await;
            let Some(socket) = socket.upgrade() else { return };
            if lock(&socket.data.conns).is_empty() {
                refuse(&socket);
            }
        });
    }

    fn on_disconnect(&self, socket: Sock<A>, reason: DisconnectReason) {
        let told = match reason {
            DisconnectReason::TransportClose => Gone::Left,
            DisconnectReason::ClosingServer => Gone::Closed,
            DisconnectReason::PacketParsingError | DisconnectReason::MultipleHttpPollingError => {
                Gone::Refused
            }
            DisconnectReason::TransportError | DisconnectReason::HeartbeatTimeout => Gone::Broken,
        };
        self.sessions.remove(socket.id);
        let gone = socket.data.why.get().copied().unwrap_or(told);
        self.put(Item::End(gone), &socket);
    }

    fn on_message(self: &Arc<Self>, text: Str, socket: Sock<A>) {
        let packet = CommonParser.decode_str(&self.parsing, &socket.data.parser, text);
        self.take(packet, &socket);
    }

    fn on_binary(self: &Arc<Self>, data: Bytes, socket: Sock<A>) {
        let packet = CommonParser.decode_bin(&self.parsing, &socket.data.parser, data);
        self.take(packet, &socket);
    }
}

/// `None` for what no client may send.
fn read(packet: Inner) -> Option<Item> {
    let namespace = packet.ns;
    match packet.inner {
        PacketData::Connect(auth) => {
            let auth = match auth {
                Some(Parts::Str(text, _)) => serde_json::from_str(&text).ok()?,
                _ => Value::Null,
            };
            Some(Item::Connect(namespace, auth))
        }
        PacketData::Disconnect => Some(Item::Leave(namespace)),
        PacketData::Event(data, ack) | PacketData::BinaryEvent(data, ack) => {
            let Parts::Str(text, binaries) = data else {
                return None;
            };
            let mut arguments: Vec<Value> = serde_json::from_str(&text).ok()?;
            if arguments.is_empty() {
                return None;
            }
            let Value::String(name) = arguments.remove(0) else {
                return None;
            };
            let binaries = binaries.unwrap_or_default();
            let event = Event {
                name,
                arguments,
                binaries,
                ack,
            };
            Some(Item::Event(namespace, event))
        }
        // We ask for no acknowledgements.
        PacketData::EventAck(..) | PacketData::BinaryAck(..) | PacketData::ConnectError(_) => None,
    }
}

/// Handles what a client said until nothing is left.
async fn drain<A: App>(app: Arc<A>, socket: Sock<A>) {
    loop {
        let next = lock(&socket.data.inbox).next();
        match next {
            None => return,
            Some(Item::Connect(namespace, auth)) => connect(&app, &socket, namespace, auth).await,
            Some(Item::Event(namespace, event)) => match socket.data.find(&namespace) {
                Some(conn) if conn.is_open() => app.event(conn, event).await,
                Some(_) => {}
                None => refuse(&socket),
            },
            Some(Item::Leave(namespace)) => {
                if let Some(conn) = socket.data.remove(&namespace) {
                    conn.shut();
                    app.disconnected(conn, Gone::Left);
                }
            }
            Some(Item::End(gone)) => {
                let conns = std::mem::take(&mut *lock(&socket.data.conns));
                for conn in conns {
                    conn.shut();
                    app.disconnected(conn, gone);
                }
            }
        }
    }
}

async fn connect<A: App>(app: &Arc<A>, socket: &Sock<A>, namespace: Str, auth: Value) {
    if socket.data.find(&namespace).is_some() {
        return refuse(socket);
    }
    // A copy: what came is a part of the packet, which must not stay for as long as the client.
    let namespace = Str::copy_from_slice(&namespace);
    let conn = Arc::new(Conn::new(namespace.clone(), socket.clone()));
    if !app.has_namespace(&namespace) {
        conn.put(&Packet::refused(namespace, "Invalid namespace")).ok();
        return;
    }
    if conn.put(&Packet::connected(namespace, conn.id())).is_err() {
        return refuse(socket);
    }
    lock(&socket.data.conns).push(conn.clone());
    app.connected(conn, auth).await;
}

fn refuse<S: Default + Send + Sync + 'static>(socket: &Arc<Socket<Link<S>>>) {
    end(socket, Gone::Refused, DisconnectReason::PacketParsingError);
}

fn lock<T>(mutex: &std::sync::Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
