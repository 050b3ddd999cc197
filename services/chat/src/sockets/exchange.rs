//! Pushes of all services and of the other processes, on their way to the connections.

use std::sync::Arc;
use std::time::{Duration, Instant};

use parlour_events::realtime::{Push, Target};
use serde_json::{Value, json};
use uuid::Uuid;

use super::catching_up;
use super::frame::Frame;
use super::hub::Room;
use super::live::Live;
use super::roster::{Change, News};
use super::seat::Seat;
use super::stream::{Said, Way};

/// Hands a push to those whom it is for, but for the connection that it came by.
pub fn deliver(live: &Arc<Live>, push: Push) {
    let (name, mut payload) = (push.name, push.payload);
    let origin = payload
        .as_object_mut()
        .and_then(|fields| fields.remove("origin"))
        .and_then(|origin| origin.as_str().map(Box::<str>::from));
    match push.target {
        Target::User(user) => {
            if !is_about_places(live, user, &name, &payload) {
                let frame = Frame::new(name, payload);
                live.hub.tell(&Room::User(user), &frame, origin.as_deref());
            }
        }
        Target::Role(role) => {
            let frame = Frame::new(name, payload);
            live.hub.tell(&Room::Role(role), &frame, origin.as_deref());
        }
        Target::Session(session) => to_session(live, session, name, payload, origin),
        Target::Sockets => {
            if let Ok(news) = serde_json::from_value::<News>(payload) {
                hear(live, news);
            }
        }
    }
}

/// Moves somebody's connections when a push says so. Whether it says nothing else.
fn is_about_places(live: &Arc<Live>, user: Uuid, name: &str, payload: &Value) -> bool {
    match (name, word(payload, "room")) {
        ("join_room", Some(room)) => {
            let stay = Duration::from_secs(live.settings.seat_seconds);
            live.visits.begin(&live.hub, user, room, stay);
            true
        }
        ("leave_room", Some(room)) => {
            live.visits.end(&live.hub, user, room);
            true
        }
        ("session_left", _) => {
            if let Some(session) = id(payload, "session_id") {
                put_out(live, session, user);
            }
            false
        }
        _ => false,
    }
}

/// Somebody takes no part in a session any more: none of their connections hears of it.
fn put_out(live: &Arc<Live>, session: Uuid, user: Uuid) {
    let Some(stream) = live.hub.stream(session) else {
        return;
    };
    for seat in stream.seats_of(user) {
        out_of(live, &seat, session);
    }
}

/// Takes one connection out of a session.
pub fn out_of(live: &Live, seat: &Seat, session: Uuid) -> bool {
    let was_in = seat.note_left(session);
    if was_in {
        live.typing.stop(live, seat, session);
        live.hub.unseat(session, seat);
        live.left((Some(session), seat.user));
    }
    was_in
}

fn to_session(live: &Arc<Live>, session: Uuid, name: String, payload: Value, origin: Option<Box<str>>) {
    let Some(stream) = live.hub.stream(session) else {
        return;
    };
    match (name.as_str(), payload.get("seq").and_then(Value::as_i64)) {
        ("new_message", Some(seq)) => {
            let frame = Some(Arc::new(Frame::new(name, payload)));
            let way = Way::Pushed { origin };
            if stream.take(Said { seq, frame, way }) {
                catching_up::begin(live, session, stream);
            }
        }
        ("user_typing", _) => {
            let who = id(&payload, "user_id");
            stream.tell(&Frame::new(name, payload), |seat| Some(seat.user) != who);
        }
        _ => stream.tell(&Frame::new(name, payload), |seat| {
            Some(&*seat.id) != origin.as_deref()
        }),
    }
}

fn word<'p>(payload: &'p Value, name: &str) -> Option<&'p str> {
    payload.get(name)?.as_str()
}

fn id(payload: &Value, name: &str) -> Option<Uuid> {
    word(payload, name)?.parse().ok()
}

fn hear(live: &Arc<Live>, news: News) {
    if news.hello {
        live.spread(&live.roster.whole());
    }
    for change in live.roster.hear(news) {
        tell_change(live, &change);
    }
}

/// Lets go of silent processes.
pub fn sweep(live: &Live, now: Instant) {
    for change in live.roster.sweep(now) {
        tell_change(live, &change);
    }
}

fn tell_change(live: &Live, change: &Change) {
    let Some(session) = change.session else {
        let told = json!({ "user_id": change.user, "status": status(change.came) });
        let followers = Room::Named(followers_of(change.user));
        return live
            .hub
            .tell(&followers, &Frame::new("presence_update", told), None);
    };
    if let Some(stream) = live.hub.stream(session) {
        let name = if change.came { "user_joined" } else { "user_left" };
        let told = json!({ "session_id": session, "user_id": change.user, "user_name": change.name });
        stream.tell(&Frame::new(name, told), |seat| seat.user != change.user);
    }
}

/// The word for it.
pub fn status(online: bool) -> &'static str {
    if online { "online" } else { "offline" }
}

/// The room of those who follow somebody's presence. Not a name that anybody can ask for.
pub fn followers_of(user: Uuid) -> String {
    format!("-presence:{user}")
}
