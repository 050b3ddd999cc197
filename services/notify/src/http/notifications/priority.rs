//! `POST /api/notifications/priority`

use parlour_db::{Scope, Tx};
use parlour_http::{ApiError, Json, Once, Origin, RateClass, Reply, Routes, Staff, State, Success};

use super::emergency::{UrgentBody, people};
use super::send::{SentNotifications, deliver};
use crate::domain::Priority;
use crate::error::Error;
use crate::state::Notify;

/// Registers the route.
pub fn route(routes: Routes) -> Routes {
    routes.add::<__path_send_priority, _, _, _>(RateClass::General, send_priority)
}

/// Sends a notification of high priority
///
/// It is not collected into a digest; preferences and quiet hours hold.
#[utoipa::path(
    post, path = "/api/notifications/priority", tag = "notifications", request_body = UrgentBody,
    responses((status = 201, description = "Who was told.", body = Success<SentNotifications>))
)]
pub async fn send_priority(
    staff: Staff,
    state: State<Notify>,
    origin: Origin,
    Json(mut body): Json<UrgentBody>,
    once: Once,
) -> Result<Reply, ApiError> {
    body.request.priority = Some(Priority::High);
    let (shared, caller) = (state.0.clone(), staff.0);
    once.write(Scope::Service, async move |tx: &mut Tx| -> Result<Reply, Error> {
        let people = people(tx, &caller, &body).await?;
        deliver(&shared, tx, (&origin, &caller), &body.request, people).await
    })
    .await
}
