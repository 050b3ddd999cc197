//! `POST /chat/appointments/{id}/confirm/`

use actix_web::http::StatusCode;
use parlour_db::{Scope, Tx};
use parlour_http::{ApiError, Once, Origin, PathId, RateClass, Reply, Routes, State, User};
use serde_json::json;

use super::AppointmentView;
use crate::domain::appointment::Action;
use crate::error::Error;
use crate::state::Orders;
use crate::store::appointments::{self, Change};
use crate::telling;
use crate::viewer::Viewer;

/// Registers the route.
pub fn route(routes: Routes) -> Routes {
    routes.add::<__path_confirm_appointment, _, _, _>(RateClass::General, confirm_appointment)
}

/// Confirms an appointment
///
/// By the counsellor, before it starts.
#[utoipa::path(
    post, path = "/chat/appointments/{id}/confirm/", tag = "safetalk",
    params(("id" = uuid::Uuid, Path, description = "The appointment.")),
    responses((status = 200, description = "The appointment as it is now.", body = AppointmentView))
)]
pub async fn confirm_appointment(
    user: User,
    state: State<Orders>,
    origin: Origin,
    PathId(id): PathId,
    once: Once,
) -> Result<Reply, ApiError> {
    let viewer = Viewer::from(&*user);
    let scope = if viewer.is_admin() {
        Scope::Service
    } else {
        Scope::Person(viewer.id)
    };
    once.write(scope, async move |tx: &mut Tx| -> Result<Reply, Error> {
        let (mut row, to) = state.begin_appointment(tx, id, &viewer, Action::Confirm).await?;
        let now = state.now();
        let change = Change {
            status: to,
            reason_sealed: None,
            reminded: state.reminders_missed(row.starts_at, now),
            now,
        };
        appointments::set(tx, id, &change).await?;
        let before = row.status_name().to_owned();
        row.set_status(to);
        telling::about_appointment(tx, &row, &telling::confirmed(&row)).await?;
        let change = (
            Some(json!({ "status": before })),
            Some(json!({ "status": to.name() })),
        );
        telling::audited(tx, &origin, "appointment.confirm", ("appointment", id), change).await?;
        Ok(Reply::bare(StatusCode::OK, &state.appointment(&row)?)?)
    })
    .await
}
