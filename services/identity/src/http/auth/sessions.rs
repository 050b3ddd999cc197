//! `GET /api/auth/sessions`, `DELETE /api/auth/sessions/{id}`

use parlour_db::{Scope, Tx};
use parlour_http::{ApiError, Origin, PathId, RateClass, Reply, Routes, State, Success, Time, User};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::logout::{self, Nothing};
use crate::error::Error;
use crate::state::Identity;
use crate::store::sessions::{self, Session};

/// Registers the routes.
pub fn route(routes: Routes) -> Routes {
    routes
        .add::<__path_list, _, _, _>(RateClass::General, list)
        .add::<__path_end, _, _, _>(RateClass::General, end)
}

/// A sign-in that still counts.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = SessionView)]
pub struct SessionView {
    /// Its id.
    pub id: Uuid,
    /// What the client called itself.
    pub device: String,
    /// Where it signed in from.
    pub ip: String,
    /// When it signed in.
    pub created_at: Time,
    /// When it was last refreshed.
    pub last_seen_at: Time,
    /// Whether this request is made with it.
    pub current: bool,
}

/// `{sessions}`
#[derive(Debug, Serialize, ToSchema)]
pub struct Sessions {
    /// The newest first.
    pub sessions: Vec<SessionView>,
}

/// My live sessions
#[utoipa::path(
    get, path = "/api/auth/sessions", tag = "auth",
    responses((status = 200, description = "The newest first, at most 100.", body = Success<Sessions>))
)]
pub async fn list(user: User, state: State<Identity>) -> Result<Reply, ApiError> {
    let (id, now) = (user.id, state.now());
    let rows: Vec<Session> = state
        .db
        .read(Scope::Person(id), async move |tx: &mut Tx| -> Result<_, Error> {
            Ok(sessions::live(tx, id, now).await?)
        })
        .await?;
    let mut list = Vec::with_capacity(rows.len());
    for row in rows {
        let ip = state
            .vault
            .open_text(&Session::address_place(row.id), &row.address_sealed)?;
        list.push(SessionView {
            id: row.id,
            device: row.device,
            ip,
            created_at: row.created_at.into(),
            last_seen_at: row.last_seen_at.into(),
            current: row.id == user.session,
        });
    }
    Reply::ok(Sessions { sessions: list })
}

/// Ends one of my sessions
#[utoipa::path(
    delete, path = "/api/auth/sessions/{id}", tag = "auth",
    params(("id" = Uuid, Path, description = "The session.")),
    responses((status = 200, description = "It has ended.", body = Success<Nothing>))
)]
pub async fn end(
    user: User,
    state: State<Identity>,
    origin: Origin,
    PathId(id): PathId,
) -> Result<Reply, ApiError> {
    if !logout::end(&state, user.id, id, origin).await? {
        return Err(ApiError::not_found());
    }
    Reply::said(Nothing {}, "The session has ended.")
}
