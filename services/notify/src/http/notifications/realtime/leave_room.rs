//! `POST /api/notifications/realtime/leave-room`

use parlour_db::{Scope, Tx};
use parlour_http::{ApiError, Json, Once, Origin, RateClass, Reply, Routes, State, Success, User};
use serde_json::json;

use super::{RoomBody, RoomView, audible};
use crate::error::Error;
use crate::state::Notify;
use crate::store::rooms;

/// Registers the route.
pub fn route(routes: Routes) -> Routes {
    routes.add::<__path_leave_room, _, _, _>(RateClass::General, leave_room)
}

/// Leaves a notification room
///
/// Leaving a room that one is not in changes nothing.
#[utoipa::path(
    post, path = "/api/notifications/realtime/leave-room", tag = "notifications", request_body = RoomBody,
    responses((status = 200, description = "Left.", body = Success<RoomView>))
)]
pub async fn leave_room(
    user: User,
    state: State<Notify>,
    origin: Origin,
    Json(body): Json<RoomBody>,
    once: Once,
) -> Result<Reply, ApiError> {
    // A role may have been taken away since: what cannot be joined any more can still be left.
    let room = audible(&body.room, &user, &state.settings).unwrap_or(body.room);
    let (shared, caller) = (state.0.clone(), user.0);
    once.write(
        Scope::Person(caller.id),
        async move |tx: &mut Tx| -> Result<Reply, Error> {
            if rooms::leave(tx, caller.id, &room).await? {
                let target = ("room", room.clone());
                shared.audit(tx, &origin, "room.left", target, None).await?;
            }
            shared.push_on_commit(tx, caller.id, "leave_room", json!({ "room": room }));
            Ok(Reply::ok(RoomView { room })?)
        },
    )
    .await
}
