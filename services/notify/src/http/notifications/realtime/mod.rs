//! `/api/notifications/realtime/…`: rooms, over all replicas, and a test.
//!
//! The sockets are chat's: joining is told to the person's sockets by the realtime exchange, and the
//! seat in the table counts until it is given up or not renewed.

pub mod active_rooms;
pub mod join_room;
pub mod leave_room;
pub mod test;

use parlour_auth::Principal;
use parlour_http::{Check, Problems, Routes};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::error::Error;
use crate::settings::Settings;

/// Registers the routes.
pub fn route(routes: Routes) -> Routes {
    let routes = join_room::route(routes);
    let routes = leave_room::route(routes);
    let routes = active_rooms::route(routes);
    test::route(routes)
}

/// A room.
#[derive(Debug, Deserialize, ToSchema)]
pub struct RoomBody {
    /// `user:self`, `role:<one of mine>`, `session:<my sign-in>` or a public room.
    #[schema(min_length = 1, max_length = 100, example = "user:self")]
    pub room: String,
}

impl Check for RoomBody {
    fn check(&self, problems: &mut Problems) {
        let fine = self
            .room
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"_:.-".contains(&b));
        problems.require(fine, "room", "must be letters, digits, _ : . or -");
    }
}

/// The room that was joined or left.
#[derive(Debug, Serialize, ToSchema)]
pub struct RoomView {
    /// Its name; `user:self` becomes the person's own.
    pub room: String,
}

/// The room that a caller means by `name`, if they may hear it.
pub(crate) fn audible(name: &str, caller: &Principal, settings: &Settings) -> Result<String, Error> {
    let own = format!("user:{}", caller.id);
    let refused = || Error::Forbidden("you may hear user:self, your roles, your session and public rooms");
    match name.split_once(':') {
        Some(("user", "self")) => Ok(own),
        Some(("user", id)) if id.parse() == Ok(caller.id) => Ok(own),
        Some(("role", role)) => {
            let role = role.parse().map_err(|_| refused())?;
            if caller.has(role) {
                Ok(format!("role:{role}"))
            } else {
                Err(refused())
            }
        }
        Some(("session", id)) if id.parse::<Uuid>() == Ok(caller.session) => {
            Ok(format!("session:{}", caller.session))
        }
        None if settings.public_rooms.iter().any(|room| room == name) => Ok(name.to_owned()),
        _ => Err(refused()),
    }
}
