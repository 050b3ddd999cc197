//! One connection of a person who is signed in.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Instant;

use chrono::{DateTime, Utc};
use metrics::counter;
use parlour_auth::Principal;
use parlour_sockets::{Conn, SendError};
use serde_json::{Value, json};
use tokio::sync::mpsc;
use tokio_tungstenite::tungstenite::Utf8Bytes;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::frame::Frame;
use super::hub::Room;

/// What a Socket.IO connection carries: its seat, once the person is known.
pub type Slot = Mutex<Option<Arc<Seat>>>;

/// What a person may do in a second, and at once; messages have a limit of their own.
const EVENTS_A_SECOND: f64 = 30.0;
const EVENTS_AT_ONCE: f64 = 90.0;

/// Sessions that one connection may be in.
pub const MOST_SESSIONS: usize = 200;

/// Messages that a connection remembers as its own: more than may be said while one waits
/// to be read from the database.
const MOST_OWN: usize = 128;

/// Rooms that one connection may be in.
const MOST_ROOMS: usize = 100;

/// The way to the client.
pub enum Outlet {
    /// By Socket.IO.
    Io(Arc<Conn<Slot>>),
    /// By a plain WebSocket.
    Plain {
        /// What waits to be written.
        queue: mpsc::Sender<Utf8Bytes>,
        /// Ends the connection.
        end: CancellationToken,
    },
}

/// A person at a connection.
pub struct Seat {
    /// The connection's id.
    pub id: Box<str>,
    /// Who it is.
    pub user: Uuid,
    /// What the others call them.
    pub name: String,
    /// Their picture.
    pub avatar: Option<String>,
    outlet: Outlet,
    principal: RwLock<Arc<Principal>>,
    /// Those that were joined, the last one last.
    sessions: Mutex<Vec<Uuid>>,
    rooms: Mutex<Vec<Room>>,
    /// What was said over this connection lately, the newest last.
    own: Mutex<VecDeque<Uuid>>,
    events: Mutex<(f64, Instant)>,
    ended: AtomicBool,
    stood: AtomicBool,
}

impl Seat {
    /// A person sits down.
    pub fn new(
        (id, outlet): (Box<str>, Outlet),
        principal: Arc<Principal>,
        (name, avatar): (String, Option<String>),
    ) -> Self {
        Self {
            id,
            user: principal.id,
            name,
            avatar,
            outlet,
            principal: RwLock::new(principal),
            sessions: Mutex::default(),
            rooms: Mutex::default(),
            own: Mutex::default(),
            events: Mutex::new((EVENTS_AT_ONCE, Instant::now())),
            ended: AtomicBool::new(false),
            stood: AtomicBool::new(false),
        }
    }

    /// Who they are, as their last token tells.
    pub fn principal(&self) -> Arc<Principal> {
        self.principal
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Goes on with another token of the same person.
    pub fn renew(&self, principal: Arc<Principal>) {
        *self.principal.write().unwrap_or_else(PoisonError::into_inner) = principal;
    }

    /// Whether the token has ended by itself.
    pub fn is_expired(&self, now: DateTime<Utc>) -> bool {
        self.principal().expires_at <= now
    }

    /// Tells it to the client, behind what waits already. Whoever takes nothing any more is
    /// cut off: nothing may wait without a bound, and nothing may be left out of a stream.
    pub fn tell(&self, frame: &Frame) -> Result<(), SendError> {
        let told = self.try_tell(frame);
        if told == Err(SendError::Full) {
            self.end("slow");
        }
        told
    }

    /// The same, leaving the decision what to do with a full queue to the caller.
    pub fn try_tell(&self, frame: &Frame) -> Result<(), SendError> {
        match &self.outlet {
            Outlet::Io(conn) => conn.send(frame.packet()),
            Outlet::Plain { queue, .. } => match frame.plain() {
                None => Ok(()),
                Some(text) => queue.try_send(text.clone()).map_err(|error| match error {
                    mpsc::error::TrySendError::Full(_) => SendError::Full,
                    mpsc::error::TrySendError::Closed(_) => SendError::Gone,
                }),
            },
        }
    }

    /// Answers the emit that asked for it.
    pub fn answer(&self, ack: Option<i64>, answer: &Value) {
        if let (Some(id), Outlet::Io(conn)) = (ack, &self.outlet)
            && conn.acknowledge(id, answer) == Err(SendError::Full)
        {
            self.end("slow");
        }
    }

    /// Ends the connection, for a reason that operators see. The client comes back by itself.
    pub fn end(&self, reason: &'static str) {
        if self.count_end(reason) {
            match &self.outlet {
                Outlet::Io(conn) => conn.close(),
                Outlet::Plain { end, .. } => end.cancel(),
            }
        }
    }

    /// Says why and ends the connection for good: the client has to sign in first.
    pub fn dismiss(&self, reason: &'static str, code: &str, message: &str) {
        if self.count_end(reason) {
            let last = Frame::new("auth_error", json!({ "message": message, "code": code }));
            self.try_tell(&last).ok();
            match &self.outlet {
                Outlet::Io(conn) => conn.disconnect(),
                Outlet::Plain { end, .. } => end.cancel(),
            }
        }
    }

    /// Notes that the person is gone. False when that was known.
    pub fn note_stood(&self) -> bool {
        !self.stood.swap(true, Ordering::AcqRel)
    }

    fn count_end(&self, reason: &'static str) -> bool {
        let first = !self.ended.swap(true, Ordering::AcqRel);
        if first {
            counter!("parlour_chat_sockets_ended_total", "reason" => reason).increment(1);
            tracing::info!(socket = %self.id, user = %self.user, reason, "a connection was ended");
        }
        first
    }

    /// Whether another event is one too many for now.
    pub fn is_too_fast(&self) -> bool {
        let mut events = self.events.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        let gained = now.duration_since(events.1).as_secs_f64() * EVENTS_A_SECOND;
        *events = ((events.0 + gained).min(EVENTS_AT_ONCE) - 1.0, now);
        if events.0 < 0.0 {
            events.0 = 0.0;
            return true;
        }
        false
    }

    /// Notes, before it is stored, a message that comes by this connection.
    pub fn note_own(&self, message: Uuid) {
        let mut own = self.own.lock().unwrap_or_else(PoisonError::into_inner);
        if own.len() == MOST_OWN {
            own.pop_front();
        }
        own.push_back(message);
    }

    /// Whether a message came by this connection lately.
    pub fn is_own(&self, message: Uuid) -> bool {
        let own = self.own.lock().unwrap_or_else(PoisonError::into_inner);
        own.contains(&message)
    }

    /// Notes that it is in a room. False when it was already, or is in too many.
    pub fn note_room(&self, room: &Room) -> bool {
        let mut rooms = self.rooms.lock().unwrap_or_else(PoisonError::into_inner);
        let fits = rooms.len() < MOST_ROOMS && !rooms.contains(room);
        if fits {
            rooms.push(room.clone());
        }
        fits
    }

    /// Notes that it left a room.
    pub fn forget_room(&self, room: &Room) {
        let mut rooms = self.rooms.lock().unwrap_or_else(PoisonError::into_inner);
        rooms.retain(|known| known != room);
    }

    /// The rooms that it is in.
    pub fn rooms(&self) -> Vec<Room> {
        self.rooms.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Notes that a session was joined. False when that is one too many.
    pub fn note_joined(&self, session: Uuid) -> bool {
        let mut sessions = self.sessions();
        sessions.retain(|known| *known != session);
        if sessions.len() >= MOST_SESSIONS {
            return false;
        }
        sessions.push(session);
        true
    }

    /// Notes that a session was left. False when it had not been joined.
    pub fn note_left(&self, session: Uuid) -> bool {
        let mut sessions = self.sessions();
        let before = sessions.len();
        sessions.retain(|known| *known != session);
        sessions.len() != before
    }

    /// Whether a session was joined.
    pub fn is_in(&self, session: Uuid) -> bool {
        self.sessions().contains(&session)
    }

    /// Those that were joined.
    pub fn joined(&self) -> Vec<Uuid> {
        self.sessions().clone()
    }

    fn sessions(&self) -> std::sync::MutexGuard<'_, Vec<Uuid>> {
        self.sessions.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
