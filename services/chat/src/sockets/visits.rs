//! Rooms that people asked for. They are left when nobody has asked again for a while.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use uuid::Uuid;

use super::hub::{Hub, Room};

/// Until when somebody stays where.
#[derive(Default)]
pub struct Visits(Mutex<HashMap<(Uuid, String), Instant>>);

impl Visits {
    /// Every connection of a person goes into a room for a while.
    pub fn begin(&self, hub: &Hub, user: Uuid, room: &str, stay: Duration) {
        let until = Instant::now() + stay;
        self.lock().insert((user, room.to_owned()), until);
        for seat in hub.seats(&Room::User(user)) {
            hub.join(Room::Named(room.to_owned()), &seat);
        }
    }

    /// They leave it.
    pub fn end(&self, hub: &Hub, user: Uuid, room: &str) {
        self.lock().remove(&(user, room.to_owned()));
        for seat in hub.seats(&Room::User(user)) {
            hub.leave(&Room::Named(room.to_owned()), &seat);
        }
    }

    /// Ends those that were not asked for again.
    pub fn sweep(&self, hub: &Hub, now: Instant) {
        let over: Vec<(Uuid, String)> = {
            let mut visits = self.lock();
            let over = visits.extract_if(|_, until| *until <= now);
            over.map(|(visit, _)| visit).collect()
        };
        for (user, room) in over {
            self.end(hub, user, &room);
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<(Uuid, String), Instant>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
