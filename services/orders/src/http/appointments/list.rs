//! `GET /chat/appointments/`

use actix_web::http::StatusCode;
use parlour_db::{Scope, Tx};
use parlour_http::{ApiError, Check, Query, RateClass, Reply, Routes, State, User};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::AppointmentView;
use crate::error::Error;
use crate::state::Orders;
use crate::store::agenda::{self, Mine};
use crate::store::appointments::Appointment;

/// The most appointments ahead that are shown: the next ones.
const MOST_AHEAD: i64 = 100;

/// Registers the route.
pub fn route(routes: Routes) -> Routes {
    routes.add::<__path_list_appointments, _, _, _>(RateClass::General, list_appointments)
}

/// Which page of the past.
#[derive(Debug, Default, Deserialize, ToSchema, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct AppointmentQuery {
    /// From 1.
    #[schema(minimum = 1, maximum = 1_000_000)]
    #[param(minimum = 1, maximum = 1_000_000)]
    pub page: Option<i64>,
    /// Past appointments on a page, 20 unless said otherwise.
    #[schema(minimum = 1, maximum = 100)]
    #[param(minimum = 1, maximum = 100)]
    pub limit: Option<i64>,
}

impl Check for AppointmentQuery {}

/// The caller's appointments, booked by them or with them.
#[derive(Debug, Serialize, ToSchema)]
pub struct AppointmentPage {
    /// The next first.
    pub upcoming_appointments: Vec<AppointmentView>,
    /// The latest first; cancelled ones too.
    pub past_appointments: Vec<AppointmentView>,
    /// Pages of the past.
    pub total_pages: i64,
    /// This page of the past.
    pub current_page: i64,
    /// Whether there is an earlier past.
    pub has_next: bool,
    /// Whether there is a later past.
    pub has_previous: bool,
}

/// My appointments
#[utoipa::path(
    get, path = "/chat/appointments/", tag = "safetalk", params(AppointmentQuery),
    responses((status = 200, description = "Upcoming and past.", body = AppointmentPage))
)]
pub async fn list_appointments(
    user: User,
    state: State<Orders>,
    Query(query): Query<AppointmentQuery>,
) -> Result<Reply, ApiError> {
    let mine = Mine {
        person: user.id,
        now: state.now(),
    };
    let (page, limit) = (query.page.unwrap_or(1), query.limit.unwrap_or(20));
    let (upcoming, past, total) = state
        .db
        .read(
            Scope::Person(user.id),
            async move |tx: &mut Tx| -> Result<_, Error> {
                let upcoming = agenda::upcoming(tx, mine, MOST_AHEAD).await?;
                let past = agenda::past(tx, mine, limit, (page - 1) * limit).await?;
                let total = agenda::count_past(tx, mine).await?;
                Ok((upcoming, past, total))
            },
        )
        .await?;
    let shown = |rows: &[Appointment]| -> Result<Vec<AppointmentView>, Error> {
        rows.iter().map(|row| state.appointment(row)).collect()
    };
    let total_pages = (total + limit - 1) / limit;
    let page = AppointmentPage {
        upcoming_appointments: shown(&upcoming)?,
        past_appointments: shown(&past)?,
        total_pages,
        current_page: page,
        has_next: page < total_pages,
        has_previous: page > 1,
    };
    Reply::bare(StatusCode::OK, &page)
}
