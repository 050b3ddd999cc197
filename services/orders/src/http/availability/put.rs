//! `PUT /api/availability`

use parlour_db::{Scope, Tx};
use parlour_http::{ApiError, Check, Json, Once, Origin, Problems, RateClass, Reply, Routes, State, Success};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;
use uuid::Uuid;

use super::{DateException, WeeklyHours, check};
use crate::error::Error;
use crate::http::Reader;
use crate::state::Orders;
use crate::store::availability::{self, Availability};
use crate::telling;

/// Registers the route.
pub fn route(routes: Routes) -> Routes {
    routes.add::<__path_put_availability, _, _, _>(RateClass::General, put_availability)
}

/// When the caller can be booked, as a whole.
#[derive(Debug, Deserialize, ToSchema)]
pub struct PutAvailability {
    /// IANA name: where the caller's clock hangs.
    #[schema(max_length = 64)]
    pub time_zone: String,
    /// Hours by weekday.
    #[schema(max_items = 70)]
    pub weekly: Vec<WeeklyHours>,
    /// Dates that are different.
    #[serde(default)]
    #[schema(max_items = 400)]
    pub exceptions: Vec<DateException>,
    /// How far ahead the caller can be booked, in days; 90 unless configured otherwise.
    #[schema(minimum = 1, maximum = 366)]
    pub horizon_days: Option<i32>,
}

impl Check for PutAvailability {
    fn check(&self, problems: &mut Problems) {
        let fine = self.time_zone.parse::<chrono_tz::Tz>().is_ok();
        problems.require(fine, "time_zone", "must be an IANA time zone");
        check(problems, &self.weekly, &self.exceptions);
    }
}

/// When somebody can be booked.
#[derive(Debug, Serialize, ToSchema)]
#[expect(missing_docs, reason = "the request documents them")]
pub struct AvailabilityView {
    pub reader_id: Uuid,
    pub time_zone: String,
    pub weekly: Vec<WeeklyHours>,
    pub exceptions: Vec<DateException>,
    pub horizon_days: i32,
}

/// `{availability}`
#[derive(Debug, Serialize, ToSchema)]
pub struct AvailabilityData {
    /// The hours as they are now.
    pub availability: AvailabilityView,
}

/// Publishes my hours
///
/// In the place of what was there. Appointments that were booked stay.
#[utoipa::path(
    put, path = "/api/availability", tag = "appointments", request_body = PutAvailability,
    responses((status = 200, description = "The hours as they are now.", body = Success<AvailabilityData>))
)]
pub async fn put_availability(
    reader: Reader,
    state: State<Orders>,
    origin: Origin,
    Json(body): Json<PutAvailability>,
    once: Once,
) -> Result<Reply, ApiError> {
    let id = reader.id;
    once.write(Scope::Person(id), async move |tx: &mut Tx| -> Result<Reply, Error> {
        let row = Availability {
            reader_id: id,
            time_zone: body.time_zone.clone(),
            weekly: serde_json::to_value(&body.weekly)?,
            exceptions: serde_json::to_value(&body.exceptions)?,
            horizon_days: body.horizon_days.unwrap_or(state.settings.horizon_days),
            updated_at: state.now(),
        };
        availability::put(tx, &row).await?;
        let after = json!({ "time_zone": row.time_zone, "weekly": row.weekly, "exceptions": body.exceptions.len() });
        telling::audited(tx, &origin, "availability.set", ("availability", id), (None, Some(after))).await?;
        Ok(Reply::ok(AvailabilityData {
            availability: AvailabilityView {
                reader_id: id,
                time_zone: body.time_zone,
                weekly: body.weekly,
                exceptions: body.exceptions,
                horizon_days: row.horizon_days,
            },
        })?)
    })
    .await
}
