//! Socket.IO on top of Engine.IO: namespaces, events, acknowledgements.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http::request::Parts;
use serde_json::{Value, json};
use socketioxide_core::packet::{Packet as Inner, PacketData};
use socketioxide_core::parser::{Parse as _, ParseConfig, ParseError};
use socketioxide_core::{Str, Value as Said};
use socketioxide_parser_common::CommonParser;

use crate::inbox::{Item, Put};
use crate::link::{Keeper, Link, Transport};
use crate::listener::{Seat, Settings};
use crate::{App, Conn, Event, Gone, Packet};

/// How long a client may take to come into a namespace.
const PATIENCE: Duration = Duration::from_secs(10);

/// Attachments of one packet: how many, and their bytes in all.
const MOST_BINARIES: usize = 16;
const MOST_BINARY_BYTES: usize = 1024 * 1024;

type Linked<A> = Arc<Link<<A as App>::State>>;

/// Sessions that began by polling, with their places. Those that began as a WebSocket are
/// known by their connection.
type Polling<S> = HashMap<Box<str>, (Arc<Link<S>>, Seat)>;

/// Everything that sessions share.
pub(crate) struct Engine<A: App> {
    pub(crate) app: Arc<A>,
    parsing: ParseConfig,
    pub(crate) settings: Settings,
    polling: Mutex<Polling<A::State>>,
}

impl<A: App> fmt::Debug for Engine<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Engine").finish_non_exhaustive()
    }
}

impl<A: App> Engine<A> {
    pub(crate) fn new(app: Arc<A>, settings: Settings) -> Arc<Self> {
        Arc::new(Self {
            app,
            parsing: ParseConfig {
                max_incoming_binary_buf_size: MOST_BINARY_BYTES,
                max_incoming_binaries: MOST_BINARIES,
                packet_completion_timeout: PATIENCE,
            },
            settings,
            polling: Mutex::default(),
        })
    }

    fn polling(&self) -> MutexGuard<'_, Polling<A::State>> {
        lock(&self.polling)
    }

    /// The session of this id, if it began by polling.
    pub(crate) fn find(&self, sid: &str) -> Option<Linked<A>> {
        self.polling().get(sid).map(|(link, _)| link.clone())
    }

    /// A session that begins, and what its client is told of it.
    pub(crate) fn begin(self: &Arc<Self>, request: Parts, polling: Option<Seat>) -> (Linked<A>, String) {
        let (transport, upgrades) = match polling {
            Some(_) => (Transport::Polling, json!(["websocket"])),
            None => (Transport::WebSocket, json!([])),
        };
        let link = Arc::new(Link::new(request, transport, self.settings.queue, self.clone()));
        let handshake = json!({
            "sid": link.sid,
            "upgrades": upgrades,
            "pingInterval": milliseconds(self.settings.ping_interval),
            "pingTimeout": milliseconds(self.settings.ping_timeout),
            "maxPayload": self.settings.payload_bytes,
        });
        if let Some(seat) = polling {
            self.polling().insert(link.sid.clone(), (link.clone(), seat));
        }
        let (weak, patience) = (Arc::downgrade(&link), self.settings.connect_timeout);
        tokio::spawn(async move {
            tokio::time::sleep(patience.unwrap_or(PATIENCE)).await;
            if let Some(link) = weak.upgrade()
                && lock(&link.conns).is_empty()
            {
                link.end(Gone::Refused);
            }
        });
        (link, format!("0{handshake}"))
    }

    pub(crate) fn text(&self, text: &str, link: &Linked<A>) {
        let bytes = text.len();
        let text = Str::copy_from_slice(text);
        let packet = CommonParser.decode_str(&self.parsing, &link.parser, text);
        self.take(packet, bytes, link);
    }

    pub(crate) fn binary(&self, data: Bytes, link: &Linked<A>) {
        let packet = CommonParser.decode_bin(&self.parsing, &link.parser, data);
        self.take(packet, 0, link);
    }

    fn take(&self, packet: Result<Inner, ParseError>, bytes: usize, link: &Linked<A>) {
        if link.is_ended() {
            return;
        }
        let item = match packet {
            Ok(packet) => read(packet),
            Err(ParseError::NeedsMoreBinaryData) => return,
            Err(_) => None,
        };
        match item {
            Some(item) => {
                let attached = match &item {
                    Item::Event(_, event) => event.binaries.iter().map(Bytes::len).sum(),
                    _ => 0,
                };
                self.put(item, bytes + attached, link);
            }
            None => link.end(Gone::Refused),
        }
    }

    fn put(&self, item: Item, bytes: usize, link: &Linked<A>) {
        let put = lock(&link.inbox).put(item, bytes);
        match put {
            Put::Waits => {}
            Put::Full => link.end(Gone::Refused),
            Put::First => {
                tokio::spawn(drain(self.app.clone(), link.clone()));
            }
        }
    }
}

impl<A: App> Keeper<A::State> for Engine<A> {
    fn ended(&self, link: &Linked<A>, why: Gone) {
        // Its place is given back while nobody waits for the sessions.
        let removed = self.polling().remove(&link.sid);
        drop(removed);
        self.put(Item::End(why), 0, link);
    }
}

fn milliseconds(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

/// `None` for what no client may send.
fn read(packet: Inner) -> Option<Item> {
    let namespace = packet.ns;
    match packet.inner {
        PacketData::Connect(auth) => {
            let auth = match auth {
                Some(Said::Str(text, _)) => serde_json::from_str(&text).ok()?,
                _ => Value::Null,
            };
            Some(Item::Connect(namespace, auth))
        }
        PacketData::Disconnect => Some(Item::Leave(namespace)),
        PacketData::Event(data, ack) | PacketData::BinaryEvent(data, ack) => {
            let Said::Str(text, binaries) = data else {
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
async fn drain<A: App>(app: Arc<A>, link: Linked<A>) {
    loop {
        let next = lock(&link.inbox).next();
        match next {
            None => return,
            Some(Item::Connect(namespace, auth)) => connect(&app, &link, namespace, auth).await,
            Some(Item::Event(namespace, event)) => match link.find(&namespace) {
                Some(conn) if conn.is_open() => app.event(conn, event).await,
                Some(_) => {}
                None => link.end(Gone::Refused),
            },
            Some(Item::Leave(namespace)) => {
                if let Some(conn) = link.remove(&namespace) {
                    conn.shut();
                    app.disconnected(conn, Gone::Left);
                }
            }
            Some(Item::End(gone)) => {
                let conns = std::mem::take(&mut *lock(&link.conns));
                for conn in conns {
                    conn.shut();
                    app.disconnected(conn, gone);
                }
            }
        }
    }
}

async fn connect<A: App>(app: &Arc<A>, link: &Linked<A>, namespace: Str, auth: Value) {
    if link.find(&namespace).is_some() {
        return link.end(Gone::Refused);
    }
    // A copy: what came is a part of the packet, which must not stay for as long as the client.
    let namespace = Str::copy_from_slice(&namespace);
    let conn = Arc::new(Conn::new(namespace.clone(), link.clone()));
    if !app.has_namespace(&namespace) {
        conn.put(&Packet::refused(namespace, "Invalid namespace")).ok();
        return;
    }
    if conn.put(&Packet::connected(namespace, conn.id())).is_err() {
        return link.end(Gone::Refused);
    }
    lock(&link.conns).push(conn.clone());
    app.connected(conn, auth).await;
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
