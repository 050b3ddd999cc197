//! Who is connected to this process, and where.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use uuid::Uuid;

use super::frame::Frame;
use super::seat::Seat;
use super::stream::Stream;

/// Where a push goes to that belongs to no session.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Room {
    /// Every connection of a person.
    User(Uuid),
    /// Everybody who has a role.
    Role(String),
    /// Whoever asked for it, such as "announcements".
    Named(String),
}

/// Everybody. Cheap to look into, and never locked while something is awaited.
#[derive(Default)]
pub struct Hub {
    rooms: RwLock<HashMap<Room, Vec<Arc<Seat>>>>,
    streams: RwLock<HashMap<Uuid, Arc<Stream>>>,
}

impl Hub {
    /// A person takes a seat: in the rooms that are theirs.
    pub fn enter(&self, seat: &Arc<Seat>) {
        for role in &seat.principal().roles {
            self.join(Room::Role(role.to_string()), seat);
        }
        self.join(Room::User(seat.user), seat);
    }

    /// A seat goes into a room.
    pub fn join(&self, room: Room, seat: &Arc<Seat>) {
        if !seat.note_room(&room) {
            return;
        }
        let mut rooms = self.rooms.write().unwrap_or_else(PoisonError::into_inner);
        rooms.entry(room).or_default().push(seat.clone());
    }

    /// A seat leaves a room.
    pub fn leave(&self, room: &Room, seat: &Seat) {
        seat.forget_room(room);
        let mut rooms = self.rooms.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(seats) = rooms.get_mut(room) {
            seats.retain(|known| known.id != seat.id);
            if seats.is_empty() {
                rooms.remove(room);
            }
        }
    }

    /// A person is gone from this connection: from every room and session.
    pub fn exit(&self, seat: &Seat) {
        for room in seat.rooms() {
            self.leave(&room, seat);
        }
        for session in seat.joined() {
            self.unseat(session, seat);
        }
    }

    /// The seats in a room.
    pub fn seats(&self, room: &Room) -> Vec<Arc<Seat>> {
        let rooms = self.rooms.read().unwrap_or_else(PoisonError::into_inner);
        rooms.get(room).cloned().unwrap_or_default()
    }

    /// Everybody, each once.
    pub fn all(&self) -> Vec<Arc<Seat>> {
        let rooms = self.rooms.read().unwrap_or_else(PoisonError::into_inner);
        let people = rooms.iter().filter(|(room, _)| matches!(room, Room::User(_)));
        people.flat_map(|(_, seats)| seats.iter().cloned()).collect()
    }

    /// Tells something to a room, but for the connection `except`.
    pub fn tell(&self, room: &Room, frame: &Frame, except: Option<&str>) {
        let rooms = self.rooms.read().unwrap_or_else(PoisonError::into_inner);
        let seats = rooms.get(room).into_iter().flatten();
        for seat in seats.filter(|seat| Some(&*seat.id) != except) {
            // Whoever did not take it is cut off, and comes back for what was missed.
            seat.tell(frame).ok();
        }
    }

    /// A session that somebody here is in.
    pub fn stream(&self, session: Uuid) -> Option<Arc<Stream>> {
        let streams = self.streams.read().unwrap_or_else(PoisonError::into_inner);
        streams.get(&session).cloned()
    }

    /// The session, for somebody who comes in.
    pub fn stream_or_new(&self, session: Uuid) -> Arc<Stream> {
        let mut streams = self.streams.write().unwrap_or_else(PoisonError::into_inner);
        streams.entry(session).or_default().clone()
    }

    /// All sessions that somebody here is in.
    pub fn streams(&self) -> Vec<(Uuid, Arc<Stream>)> {
        let streams = self.streams.read().unwrap_or_else(PoisonError::into_inner);
        streams.iter().map(|(id, stream)| (*id, stream.clone())).collect()
    }

    /// Takes a seat out of a session.
    pub fn unseat(&self, session: Uuid, seat: &Seat) {
        let Some(stream) = self.stream(session) else {
            return;
        };
        if stream.unseat(&seat.id) {
            self.forget(session);
        }
    }

    /// Lets go of a session that nobody is in. Somebody who is on the way in holds on to it.
    fn forget(&self, session: Uuid) {
        let mut streams = self.streams.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(stream) = streams.get(&session)
            && stream.is_empty()
            && Arc::strong_count(stream) == 1
        {
            streams.remove(&session);
        }
    }

    /// Lets go of all sessions that nobody is in.
    pub fn tidy(&self) {
        let mut streams = self.streams.write().unwrap_or_else(PoisonError::into_inner);
        streams.retain(|_, stream| Arc::strong_count(stream) > 1 || !stream.is_empty());
    }
}
