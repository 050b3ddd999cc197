//! `POST /api/notifications/emergency`

pub mod active;

use parlour_auth::Principal;
use parlour_contracts::Role;
use parlour_db::{Scope, Tx};
use parlour_http::{
    ApiError, Check, Json, Once, Origin, Problems, RateClass, Reply, Routes, Staff, State, Success,
};
use serde::Deserialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::send::{SentNotifications, deliver, known};
use super::send_to_role::role_name;
use crate::domain::Priority;
use crate::domain::job::Audience;
use crate::error::Error;
use crate::reach;
use crate::sending::Request;
use crate::state::Notify;
use crate::store::recipients::{self, Recipient};

/// People with a role who are told at once at the most.
const AT_MOST: i64 = 1000;

/// Registers the routes.
pub fn route(routes: Routes) -> Routes {
    let routes = routes.add::<__path_send_emergency, _, _, _>(RateClass::General, send_emergency);
    active::route(routes)
}

/// What is told at once, to people or to a role.
#[derive(Debug, Deserialize, ToSchema)]
pub struct UrgentBody {
    /// These people.
    #[schema(min_items = 1, max_items = 1000)]
    pub user_ids: Option<Vec<Uuid>>,
    /// Everybody with this role, 1,000 people at the most; aliases are taken.
    #[schema(min_length = 1, max_length = 40)]
    pub role: Option<String>,
    /// What they are told; `priority` is the path's, and so is `type` unless one is given.
    #[serde(flatten)]
    pub request: Request,
}

impl Check for UrgentBody {
    fn check(&self, problems: &mut Problems) {
        let one = self.user_ids.is_some() != self.role.is_some();
        problems.require(one, "user_ids", "give either user_ids or role");
        let fine = self
            .role
            .as_deref()
            .is_none_or(|role| role.parse::<Role>().is_ok());
        problems.require(fine, "role", "is not a role");
        self.request.check(problems, true);
    }
}

/// Sends an emergency notification
///
/// It goes out on every channel, whatever people prefer and whatever the hour, and is
/// repeated until it is read, which acknowledges it.
#[utoipa::path(
    post, path = "/api/notifications/emergency", tag = "notifications", request_body = UrgentBody,
    responses((status = 201, description = "Who was told.", body = Success<SentNotifications>))
)]
pub async fn send_emergency(
    staff: Staff,
    state: State<Notify>,
    origin: Origin,
    Json(mut body): Json<UrgentBody>,
    once: Once,
) -> Result<Reply, ApiError> {
    body.request.priority = Some(Priority::Emergency);
    let (shared, caller) = (state.0.clone(), staff.0);
    once.write(Scope::Service, async move |tx: &mut Tx| -> Result<Reply, Error> {
        let people = people(tx, &caller, &body).await?;
        deliver(&shared, tx, (&origin, &caller), &body.request, people).await
    })
    .await
}

/// Whom a body names.
pub async fn people(tx: &mut Tx, caller: &Principal, body: &UrgentBody) -> Result<Vec<Recipient>, Error> {
    if let Some(ids) = &body.user_ids {
        return known(tx, caller, ids.clone()).await;
    }
    let audience = Audience {
        roles: body.role.as_deref().map(|role| vec![role_name(role)]),
        country: reach::country_of(caller)?,
        ..Audience::default()
    };
    if recipients::count(tx, &audience).await? > AT_MOST {
        return Err(Error::field(
            "role",
            "more than 1,000 people have it; send a bulk job instead",
        ));
    }
    Ok(recipients::next(tx, &audience, Uuid::nil(), AT_MOST).await?)
}
