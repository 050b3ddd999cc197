//! `presence {user_ids}`

use std::sync::Arc;

use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::error::Error;
use crate::following;
use crate::sockets::exchange::{followers_of, status};
use crate::sockets::frame::Frame;
use crate::sockets::hub::Room;
use crate::sockets::live::Live;
use crate::sockets::seat::Seat;

/// People who can be followed at once.
const MOST: usize = 50;

/// Whose presence.
#[derive(Debug, Deserialize)]
pub(super) struct Presence {
    user_ids: Vec<Uuid>,
}

/// Tells who of them is online, and follows them. Only people whom the caller talks with
/// are told of; the staff sees everybody.
pub(super) async fn presence(live: &Arc<Live>, seat: &Arc<Seat>, body: Presence) -> Result<Value, Error> {
    if body.user_ids.len() > MOST {
        return Err(Error::Field("user_ids", "must have at most 50"));
    }
    let known = if seat.principal().is_staff() {
        body.user_ids
    } else {
        following::acquainted(&live.chat, seat.user, &body.user_ids).await?
    };
    let mut users = Vec::new();
    for user in known {
        live.hub.join(Room::Named(followers_of(user)), seat);
        users.push(json!({ "user_id": user, "status": status(live.roster.is_online(user)) }));
    }
    let state = json!({ "users": users });
    seat.tell(&Frame::new("presence_state", state.clone())).ok();
    Ok(state)
}
