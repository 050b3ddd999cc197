//! `GET /api/notifications/realtime/active-rooms`

use parlour_contracts::Role;
use parlour_db::{Scope, Tx};
use parlour_http::{ApiError, Has, RateClass, Reply, RoleSet, Routes, State, Success};
use serde::Serialize;
use utoipa::ToSchema;

use crate::error::Error;
use crate::state::Notify;
use crate::store::rooms;

/// Rooms that are listed at the most.
const MOST: i64 = 1000;

/// Monitors, and admins and above.
pub struct Watchers;
impl RoleSet for Watchers {
    const ROLES: &'static [Role] = &[Role::Monitor, Role::Admin];
}

/// Registers the route.
pub fn route(routes: Routes) -> Routes {
    routes.add::<__path_active_rooms, _, _, _>(RateClass::General, active_rooms)
}

/// A room and how many are in it.
#[derive(Debug, Serialize, ToSchema)]
pub struct ActiveRoom {
    /// Its name.
    pub room: String,
    /// People with a live seat, over all replicas.
    pub members: i64,
}

/// `{rooms}`
#[derive(Debug, Serialize, ToSchema)]
pub struct ActiveRooms {
    /// The fullest first, at most 1,000.
    pub rooms: Vec<ActiveRoom>,
}

/// Rooms with somebody in them
#[utoipa::path(
    get, path = "/api/notifications/realtime/active-rooms", tag = "notifications",
    responses((status = 200, description = "The fullest first.", body = Success<ActiveRooms>))
)]
pub async fn active_rooms(_: Has<Watchers>, state: State<Notify>) -> Result<Reply, ApiError> {
    let now = state.clock.now();
    let rows = state
        .db
        .read(Scope::Service, async move |tx: &mut Tx| -> Result<_, Error> {
            Ok(rooms::active(tx, now, MOST).await?)
        })
        .await?;
    let rooms = rows
        .into_iter()
        .map(|(room, members)| ActiveRoom { room, members });
    Reply::ok(ActiveRooms {
        rooms: rooms.collect(),
    })
}
