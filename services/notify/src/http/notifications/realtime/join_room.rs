//! `POST /api/notifications/realtime/join-room`

use chrono::Duration;
use parlour_db::{Scope, Tx};
use parlour_http::{ApiError, Json, Once, Origin, RateClass, Reply, Routes, State, Success, User};
use serde_json::json;

use super::{RoomBody, RoomView, audible};
use crate::error::Error;
use crate::state::Notify;
use crate::store::rooms;

/// Rooms of one person at the most.
const MOST: i64 = 50;

/// Registers the route.
pub fn route(routes: Routes) -> Routes {
    routes.add::<__path_join_room, _, _, _>(RateClass::General, join_room)
}

/// Joins a notification room
///
/// The person's open sockets join it. The seat ends unless it is renewed by joining again.
#[utoipa::path(
    post, path = "/api/notifications/realtime/join-room", tag = "notifications", request_body = RoomBody,
    responses((status = 200, description = "Joined.", body = Success<RoomView>))
)]
pub async fn join_room(
    user: User,
    state: State<Notify>,
    origin: Origin,
    Json(body): Json<RoomBody>,
    once: Once,
) -> Result<Reply, ApiError> {
    let room = audible(&body.room, &user, &state.settings)?;
    let (shared, caller) = (state.0.clone(), user.0);
    once.write(
        Scope::Person(caller.id),
        async move |tx: &mut Tx| -> Result<Reply, Error> {
            let now = shared.clock.now();
            let ends = now + Duration::seconds(shared.settings.room_seconds.into());
            if rooms::join(tx, caller.id, &room, now, ends).await? {
                if rooms::count(tx, caller.id, now).await? > MOST {
                    return Err(Error::State("you are in 50 rooms already".to_owned()));
                }
                let target = ("room", room.clone());
                shared.audit(tx, &origin, "room.joined", target, None).await?;
            }
            shared.push_on_commit(tx, caller.id, "join_room", json!({ "room": room }));
            Ok(Reply::ok(RoomView { room })?)
        },
    )
    .await
}
