//! Who is typing. It ends by itself when nobody says so again.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use parlour_events::realtime::Target;
use serde_json::json;
use uuid::Uuid;

use super::live::Live;
use super::seat::Seat;

/// The connections that are typing, each in one session, and until when that is believed.
#[derive(Default)]
pub struct Typing(Mutex<Believed>);

type Believed = HashMap<(Box<str>, Uuid), (Instant, Arc<Seat>)>;

impl Typing {
    /// Somebody types. The others are told once, not at every key.
    pub fn start(&self, live: &Live, seat: &Arc<Seat>, session: Uuid) {
        let until = Instant::now() + Duration::from_secs(live.settings.typing_seconds);
        let known = self
            .lock()
            .insert((seat.id.clone(), session), (until, seat.clone()));
        if known.is_none() {
            tell(live, seat, session, true);
        }
    }

    /// Somebody stopped, or sent what they typed.
    pub fn stop(&self, live: &Live, seat: &Seat, session: Uuid) {
        if self.lock().remove(&(seat.id.clone(), session)).is_some() {
            tell(live, seat, session, false);
        }
    }

    /// Ends what was not said again.
    pub fn sweep(&self, live: &Live, now: Instant) {
        let over: Vec<(Uuid, Arc<Seat>)> = {
            let mut typing = self.lock();
            let over = typing.extract_if(|_, (until, _)| *until <= now);
            over.map(|((_, session), (_, seat))| (session, seat)).collect()
        };
        for (session, seat) in over {
            tell(live, &seat, session, false);
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Believed> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn tell(live: &Live, seat: &Seat, session: Uuid, is_typing: bool) {
    let told = json!({
        "session_id": session,
        "user_id": seat.user,
        "user_name": seat.name,
        "is_typing": is_typing,
    });
    live.chat
        .pusher
        .push(Target::Session(session), "user_typing", &told);
}
