//! `POST /chat/book-appointment/`

use actix_web::http::StatusCode;
use chrono::{DateTime, Duration, Utc};
use parlour_contracts::id;
use parlour_db::{Scope, Tx};
use parlour_http::{ApiError, Check, Json, Once, Origin, Problems, RateClass, Reply, Routes, State, User};
use serde::Deserialize;
use serde_json::json;
use utoipa::ToSchema;
use uuid::Uuid;

use super::{AppointmentView, Subject};
use crate::domain::hours::Span;
use crate::domain::text;
use crate::error::Error;
use crate::http::availability::hours_of;
use crate::state::Orders;
use crate::store::appointments::{self, Appointment, NewAppointment};
use crate::store::{availability, readers};
use crate::telling;

/// Registers the route.
pub fn route(routes: Routes) -> Routes {
    routes.add::<__path_book_appointment, _, _, _>(RateClass::General, book_appointment)
}

/// With whom, when, and what about.
#[derive(Debug, Deserialize, ToSchema)]
pub struct BookAppointment {
    /// Needed. Also taken as `counsellor_id`, `counselor` and `reader_id`.
    #[serde(alias = "counsellor_id", alias = "counselor", alias = "reader_id")]
    pub counselor_id: Option<Uuid>,
    /// Needed. One line.
    #[schema(max_length = 200)]
    pub title: Option<String>,
    /// More about it.
    #[schema(max_length = 2000)]
    pub description: Option<String>,
    /// Needed. When it starts, in RFC 3339. Also taken as `scheduled_at` and `start`.
    #[serde(alias = "scheduled_at", alias = "start")]
    pub scheduled_date: Option<DateTime<Utc>>,
    /// 60 unless said otherwise. Also taken as `duration`.
    #[serde(default = "an_hour", alias = "duration")]
    #[schema(minimum = 15, maximum = 480)]
    pub duration_minutes: i32,
}

fn an_hour() -> i32 {
    60
}

impl Check for BookAppointment {
    fn check(&self, problems: &mut Problems) {
        problems.require(self.counselor_id.is_some(), "counselor_id", "is required");
        problems.require(self.scheduled_date.is_some(), "scheduled_date", "is required");
        match self.title.as_deref() {
            None => problems.add("title", "is required"),
            Some(title) => {
                let fine = text::is_plain(title) && text::says_something(title);
                problems.require(fine, "title", "must be a line of text without control characters");
            }
        }
        // An alias passes by the schema.
        let fine = (15..=480).contains(&self.duration_minutes);
        problems.require(fine, "duration_minutes", "must be from 15 to 480");
    }
}

/// Books an appointment
///
/// Within the counsellor's free time; the counsellor confirms it.
#[utoipa::path(
    post, path = "/chat/book-appointment/", tag = "safetalk", request_body = BookAppointment,
    responses((status = 201, description = "The appointment.", body = AppointmentView))
)]
pub async fn book_appointment(
    user: User,
    state: State<Orders>,
    origin: Origin,
    Json(body): Json<BookAppointment>,
    once: Once,
) -> Result<Reply, ApiError> {
    let client = user.id;
    once.write(Scope::Person(client), async move |tx: &mut Tx| -> Result<Reply, Error> {
        let row = book(&state, tx, body, client).await?;
        telling::about_appointment(tx, &row, &telling::booked(&row)).await?;
        let after = json!({
            "counselor_id": row.counselor_id, "starts_at": row.starts_at, "duration_minutes": row.minutes(),
        });
        let change = (None, Some(after));
        telling::audited(tx, &origin, "appointment.book", ("appointment", row.id), change).await?;
        Ok(Reply::bare(StatusCode::CREATED, &state.appointment(&row)?)?)
    })
    .await
}

async fn book(
    state: &Orders,
    tx: &mut Tx,
    body: BookAppointment,
    client: Uuid,
) -> Result<Appointment, Error> {
    let counselor = body
        .counselor_id
        .ok_or(Error::Field("counselor_id", "is required"))?;
    let start = body
        .scheduled_date
        .ok_or(Error::Field("scheduled_date", "is required"))?;
    let now = state.now();
    if counselor == client {
        return Err(Error::Field("counselor_id", "cannot be yourself"));
    }
    if start <= now {
        return Err(Error::Field("scheduled_date", "must be in the future"));
    }
    let length = Duration::minutes(i64::from(body.duration_minutes));
    let end = start.checked_add_signed(length).ok_or(Error::NotAvailable)?;
    let span = Span { start, end };
    check_hours(tx, counselor, span, now).await?;
    let id = id::new();
    let subject = Subject {
        title: body.title.unwrap_or_default(),
        description: body.description,
    };
    let sealed = state
        .vault
        .seal(&Appointment::subject_place(id), &serde_json::to_vec(&subject)?)?;
    let new = NewAppointment {
        id,
        client_id: client,
        counselor_id: counselor,
        span,
        subject_sealed: &sealed,
        now,
    };
    match appointments::insert(tx, &new).await? {
        Some(row) => Ok(row),
        None if appointments::client_is_busy(tx, client, counselor, span).await? => Err(Error::ClientBusy),
        None => Err(Error::SlotTaken),
    }
}

/// Whether the counsellor works then, whoever else has booked.
async fn check_hours(tx: &mut Tx, counselor: Uuid, span: Span, now: DateTime<Utc>) -> Result<(), Error> {
    if !readers::is_available(tx, counselor).await? {
        return Err(Error::NotAvailable);
    }
    let row = availability::find(tx, counselor)
        .await?
        .ok_or(Error::NotAvailable)?;
    let horizon = now + Duration::days(i64::from(row.horizon_days));
    if span.end > horizon || !hours_of(&row)?.is_open(span) {
        return Err(Error::NotAvailable);
    }
    Ok(())
}
