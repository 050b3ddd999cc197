//! `POST /api/notifications/broadcast`

use parlour_db::{Scope, Tx};
use parlour_http::{
    ApiError, Check, Json, Once, Origin, Problems, RateClass, Reply, Routes, State, Success, SuperAdmin,
};
use serde::Deserialize;
use utoipa::ToSchema;

use super::send_bulk::{Accepted, accept};
use crate::domain::job::Audience;
use crate::error::Error;
use crate::sending::Request;
use crate::state::Notify;

/// Registers the route.
pub fn route(routes: Routes) -> Routes {
    routes.add::<__path_broadcast, _, _, _>(RateClass::General, broadcast)
}

/// What everybody is told.
#[derive(Debug, Deserialize, ToSchema)]
pub struct BroadcastBody {
    /// What they are told.
    #[serde(flatten)]
    pub request: Request,
}

impl Check for BroadcastBody {
    fn check(&self, problems: &mut Problems) {
        self.request.check(problems, false);
    }
}

/// Sends a notification to everybody
///
/// Answered at once; a job tells them.
#[utoipa::path(
    post, path = "/api/notifications/broadcast", tag = "notifications", request_body = BroadcastBody,
    responses((status = 202, description = "A job tells them.", body = Success<Accepted>))
)]
pub async fn broadcast(
    admin: SuperAdmin,
    state: State<Notify>,
    origin: Origin,
    Json(body): Json<BroadcastBody>,
    once: Once,
) -> Result<Reply, ApiError> {
    let (shared, caller) = (state.0.clone(), admin.0);
    once.write(Scope::Service, async move |tx: &mut Tx| -> Result<Reply, Error> {
        let everybody = ("broadcast", Audience::default());
        accept(&shared, tx, (&origin, &caller), everybody, &body.request).await
    })
    .await
}
