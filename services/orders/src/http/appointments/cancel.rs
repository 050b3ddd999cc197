//! `POST /chat/appointments/{id}/cancel/`

use actix_web::http::StatusCode;
use parlour_db::{Scope, Tx};
use parlour_http::{
    ApiError, Check, JsonOrDefault, Once, Origin, PathId, Problems, RateClass, Reply, Routes, State, User,
};
use serde::Deserialize;
use serde_json::json;
use utoipa::ToSchema;

use super::AppointmentView;
use crate::domain::appointment::{Action, Status};
use crate::domain::text;
use crate::error::Error;
use crate::state::Orders;
use crate::store::appointments::{self, Appointment, Change};
use crate::telling;
use crate::viewer::Viewer;

/// Registers the route.
pub fn route(routes: Routes) -> Routes {
    routes.add::<__path_cancel_appointment, _, _, _>(RateClass::General, cancel_appointment)
}

/// Why.
#[derive(Debug, Default, Deserialize, ToSchema)]
pub struct CancelAppointment {
    /// Kept with the appointment.
    #[schema(max_length = 2000)]
    pub reason: Option<String>,
    /// The counsellor says, from the start on, that the client did not come.
    #[serde(default)]
    pub no_show: bool,
}

impl Check for CancelAppointment {
    fn check(&self, problems: &mut Problems) {
        let fine = self.reason.as_deref().is_none_or(text::says_something);
        problems.require(fine, "reason", "must say something");
    }
}

/// Cancels an appointment
///
/// By either of the two, or an admin, before it starts. With `no_show` the counsellor
/// says afterwards that nobody came.
#[utoipa::path(
    post, path = "/chat/appointments/{id}/cancel/", tag = "safetalk", request_body = CancelAppointment,
    params(("id" = uuid::Uuid, Path, description = "The appointment.")),
    responses((status = 200, description = "The appointment as it is now.", body = AppointmentView))
)]
pub async fn cancel_appointment(
    user: User,
    state: State<Orders>,
    origin: Origin,
    PathId(id): PathId,
    JsonOrDefault(body): JsonOrDefault<CancelAppointment>,
    once: Once,
) -> Result<Reply, ApiError> {
    let viewer = Viewer::from(&*user);
    let scope = if viewer.is_admin() {
        Scope::Service
    } else {
        Scope::Person(viewer.id)
    };
    once.write(scope, async move |tx: &mut Tx| -> Result<Reply, Error> {
        let action = if body.no_show {
            Action::MissedByClient
        } else {
            Action::Cancel
        };
        let (mut row, to) = state.begin_appointment(tx, id, &viewer, action).await?;
        let place = Appointment::reason_place(id);
        let sealed = body
            .reason
            .as_deref()
            .map(|reason| state.vault.seal_text(&place, reason))
            .transpose()?;
        let change = Change {
            status: to,
            reason_sealed: sealed.as_deref(),
            reminded: row.reminded,
            now: state.now(),
        };
        appointments::set(tx, id, &change).await?;
        let before = row.status_name().to_owned();
        row.set_status(to);
        if to == Status::Cancelled {
            let told = telling::called_off(&row, Some(viewer.id));
            telling::about_appointment(tx, &row, &told).await?;
        }
        let change = (
            Some(json!({ "status": before })),
            Some(json!({ "status": to.name() })),
        );
        let name = format!("appointment.{action}");
        telling::audited(tx, &origin, &name, ("appointment", id), change).await?;
        Ok(Reply::bare(StatusCode::OK, &state.appointment(&row)?)?)
    })
    .await
}
