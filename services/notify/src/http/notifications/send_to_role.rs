//! `POST /api/notifications/send-to-role`

use parlour_contracts::Role;
use parlour_db::{Scope, Tx};
use parlour_http::{
    Admin, ApiError, Check, Json, Once, Origin, Problems, RateClass, Reply, Routes, State, Success,
};
use serde::Deserialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::send::{SentNotifications, deliver};
use super::send_bulk::{Accepted, accept};
use crate::domain::job::Audience;
use crate::error::Error;
use crate::reach;
use crate::sending::Request;
use crate::state::Notify;
use crate::store::recipients;

/// Above this many people it is a job.
const AT_ONCE: i64 = 1000;

/// Registers the route.
pub fn route(routes: Routes) -> Routes {
    routes.add::<__path_send_to_role, _, _, _>(RateClass::General, send_to_role)
}

/// What is told to a role.
#[derive(Debug, Deserialize, ToSchema)]
pub struct RoleBody {
    /// The role; aliases are taken.
    #[schema(min_length = 1, max_length = 40)]
    pub role: String,
    /// What they are told.
    #[serde(flatten)]
    pub request: Request,
}

impl Check for RoleBody {
    fn check(&self, problems: &mut Problems) {
        problems.require(self.role.parse::<Role>().is_ok(), "role", "is not a role");
        self.request.check(problems, false);
    }
}

/// Sends a notification to everybody with a role
///
/// A role that more than 1,000 people have is told by a job.
#[utoipa::path(
    post, path = "/api/notifications/send-to-role", tag = "notifications", request_body = RoleBody,
    responses(
        (status = 201, description = "Who was told.", body = Success<SentNotifications>),
        (status = 202, description = "A job tells them.", body = Success<Accepted>)
    )
)]
pub async fn send_to_role(
    admin: Admin,
    state: State<Notify>,
    origin: Origin,
    Json(body): Json<RoleBody>,
    once: Once,
) -> Result<Reply, ApiError> {
    let (shared, caller) = (state.0.clone(), admin.0);
    once.write(Scope::Service, async move |tx: &mut Tx| -> Result<Reply, Error> {
        let audience = Audience {
            roles: Some(vec![role_name(&body.role)]),
            country: reach::country_of(&caller)?,
            ..Audience::default()
        };
        if recipients::count(tx, &audience).await? > AT_ONCE {
            return accept(&shared, tx, (&origin, &caller), ("bulk", audience), &body.request).await;
        }
        let people = recipients::next(tx, &audience, Uuid::nil(), AT_ONCE).await?;
        deliver(&shared, tx, (&origin, &caller), &body.request, people).await
    })
    .await
}

/// The stored name of a role.
pub fn role_name(name: &str) -> String {
    name.parse::<Role>()
        .map_or_else(|_| name.to_owned(), |role| role.name().to_owned())
}
