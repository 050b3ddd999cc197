//! `GET /api/notifications/unread-count`

use std::collections::BTreeMap;

use parlour_db::{Conn, Scope};
use parlour_http::{ApiError, RateClass, Reply, Routes, State, Success, User};
use serde::Serialize;
use utoipa::ToSchema;

use crate::domain::Priority;
use crate::error::Error;
use crate::state::Notify;
use crate::store::counts::{self, Count};

/// Registers the route.
pub fn route(routes: Routes) -> Routes {
    routes.add::<__path_unread_count, _, _, _>(RateClass::General, unread_count)
}

/// How many are unread.
#[derive(Debug, Serialize, ToSchema)]
pub struct UnreadCount {
    /// In all.
    pub count: i64,
    /// By priority, each of the four.
    pub by_priority: BTreeMap<&'static str, i64>,
}

impl UnreadCount {
    /// Adds the counters up.
    pub fn of(counts: &[Count]) -> Self {
        let of = |priority: Priority| {
            let lines = counts.iter().filter(|count| count.priority == priority.name());
            lines.map(|count| count.unread).sum()
        };
        Self {
            count: counts.iter().map(|count| count.unread).sum(),
            by_priority: Priority::ALL
                .map(|priority| (priority.name(), of(priority)))
                .into(),
        }
    }
}

/// How many of my notifications are unread
#[utoipa::path(
    get, path = "/api/notifications/unread-count", tag = "notifications",
    responses((status = 200, description = "In all and by priority.", body = Success<UnreadCount>))
)]
pub async fn unread_count(user: User, state: State<Notify>) -> Result<Reply, ApiError> {
    let (id, now) = (user.id, state.clock.now());
    let counts = state
        .db
        .fetch(Scope::Person(id), async move |conn: &Conn| -> Result<_, Error> {
            Ok(counts::counts(conn, id, now).await?)
        })
        .await?;
    Reply::ok(UnreadCount::of(&counts))
}
