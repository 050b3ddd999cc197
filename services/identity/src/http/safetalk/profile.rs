//! `GET /profile/`

use actix_web::http::StatusCode;
use parlour_db::{Scope, Tx};
use parlour_http::{ApiError, RateClass, Reply, Routes, State, User};
use serde::Serialize;
use utoipa::ToSchema;

use crate::error::Error;
use crate::state::Identity;
use crate::store::{accounts, profiles};
use crate::view::safetalk_role;

/// Registers the route.
pub fn route(routes: Routes) -> Routes {
    routes.add::<__path_profile_safetalk, _, _, _>(RateClass::General, profile_safetalk)
}

/// A person and what they have done.
#[derive(Debug, Serialize, ToSchema)]
#[expect(missing_docs, reason = "the names say it")]
pub struct SafetalkProfile {
    pub username: Option<String>,
    pub email: Option<String>,
    pub role: &'static str,
    pub total_appointments: i64,
    pub completed_appointments: i64,
    pub goals_set: i64,
    pub goals_completed: i64,
}

/// SafeTalk profile with counters
#[utoipa::path(
    get, path = "/profile/", tag = "safetalk",
    responses((status = 200, description = "The signed-in person.", body = SafetalkProfile))
)]
pub async fn profile_safetalk(user: User, state: State<Identity>) -> Result<Reply, ApiError> {
    let id = user.id;
    let (account, counters) = state
        .db
        .read(Scope::Person(id), async move |tx: &mut Tx| -> Result<_, Error> {
            Ok((accounts::find(tx, id).await?, profiles::counters(tx, id).await?))
        })
        .await?;
    let profile = SafetalkProfile {
        email: state.email_of(&account)?,
        role: safetalk_role(&account.roles()),
        username: account.person.username,
        total_appointments: counters.total_appointments,
        completed_appointments: counters.completed_appointments,
        goals_set: counters.goals_set,
        goals_completed: counters.goals_completed,
    };
    Reply::bare(StatusCode::OK, &profile)
}
