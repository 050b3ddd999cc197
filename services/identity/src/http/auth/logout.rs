//! `POST /api/auth/logout`

use parlour_db::{Scope, Tx};
use parlour_http::{ApiError, Origin, RateClass, Reply, Routes, State, Success, User};
use serde::Serialize;
use utoipa::ToSchema;

use crate::error::Error;
use crate::state::Identity;

/// Registers the route.
pub fn route(routes: Routes) -> Routes {
    routes.add::<__path_logout, _, _, _>(RateClass::Auth, logout)
}

/// Nothing to tell.
#[derive(Debug, Default, Serialize, ToSchema)]
pub struct Nothing {}

/// Ends this session
///
/// Its access and refresh tokens stop working everywhere within a second.
#[utoipa::path(
    post, path = "/api/auth/logout", tag = "auth",
    responses((status = 200, description = "Signed out.", body = Success<Nothing>))
)]
pub async fn logout(user: User, state: State<Identity>, origin: Origin) -> Result<Reply, ApiError> {
    end(&state, user.id, user.session, origin).await?;
    Reply::said(Nothing {}, "You are signed out.")
}

/// Ends a session because its owner said so.
pub async fn end(
    state: &State<Identity>,
    account: uuid::Uuid,
    session: uuid::Uuid,
    origin: Origin,
) -> Result<bool, Error> {
    let shared = state.clone();
    state
        .db
        .write(Scope::Service, async move |tx: &mut Tx| -> Result<bool, Error> {
            let ended = shared.end_session(tx, account, session, "logout").await?;
            if ended {
                let which = Some(serde_json::json!({ "session": session }));
                shared
                    .audit(tx, &origin, "session.ended", account, (which, None))
                    .await?;
            }
            Ok(ended)
        })
        .await
}
