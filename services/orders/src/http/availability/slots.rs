//! `GET /api/availability/{reader_id}`

use chrono::{DateTime, Days, Duration, NaiveDate, NaiveTime, TimeZone as _, Utc};
use chrono_tz::Tz;
use parlour_db::{Scope, Tx};
use parlour_http::{
    ApiError, Call, Check, Extract, Problems, Query, RateClass, Reply, Routes, State, Success, Time, User,
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::hours_of;
use crate::domain::hours::Span;
use crate::domain::slots;
use crate::error::Error;
use crate::state::Orders;
use crate::store::{appointments, availability, readers};

/// The longest range that is answered, in days.
const MOST_DAYS: i64 = 31;

/// Registers the route.
pub fn route(routes: Routes) -> Routes {
    routes.add::<__path_list_slots, _, _, _>(RateClass::General, list_slots)
}

/// The `{reader_id}` of the path.
pub struct ReaderId(Uuid);

impl Extract for ReaderId {
    async fn extract(call: &mut Call) -> Result<Self, ApiError> {
        let found = call.params.iter().find(|(name, _)| name == "reader_id");
        let text = found.map_or("", |(_, value)| value.as_str());
        Uuid::try_parse(text)
            .map(ReaderId)
            .map_err(|_| ApiError::field("reader_id", "must be a UUID"))
    }
}

/// Which slots.
#[derive(Debug, Default, Deserialize, ToSchema, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct SlotQuery {
    /// A time in RFC 3339, or a date where the reader is; now unless said otherwise.
    #[schema(max_length = 40)]
    #[param(max_length = 40)]
    pub from: Option<String>,
    /// The same, a date with its whole day; a week later unless said otherwise, 31 days at the most.
    #[schema(max_length = 40)]
    #[param(max_length = 40)]
    pub to: Option<String>,
    /// How long a slot is, 60 unless said otherwise.
    #[schema(minimum = 15, maximum = 480)]
    #[param(minimum = 15, maximum = 480)]
    pub duration_minutes: Option<i64>,
}

impl Check for SlotQuery {
    fn check(&self, problems: &mut Problems) {
        for (name, text) in [("from", &self.from), ("to", &self.to)] {
            let fine = text
                .as_deref()
                .is_none_or(|text| moment(text, chrono_tz::UTC, 0).is_some());
            problems.require(fine, name, "must be a time in RFC 3339 or a date");
        }
    }
}

/// A time, or a date as its first moment in `zone`, `days` later.
fn moment(text: &str, zone: Tz, days: u64) -> Option<DateTime<Utc>> {
    // An unescaped + of an offset comes as a space.
    if let Ok(time) = DateTime::parse_from_rfc3339(&text.replace(' ', "+")) {
        return Some(time.to_utc());
    }
    let date: NaiveDate = text.parse().ok()?;
    let midnight = date.checked_add_days(Days::new(days))?.and_time(NaiveTime::MIN);
    let local = zone.from_local_datetime(&midnight).earliest();
    Some(local.map_or_else(|| midnight.and_utc(), |time| time.to_utc()))
}

/// A free slot.
#[derive(Debug, Serialize, ToSchema)]
#[expect(missing_docs, reason = "the names say it")]
pub struct Slot {
    pub start: Time,
    pub end: Time,
}

/// Where the reader is, and when they are free.
#[derive(Debug, Serialize, ToSchema)]
pub struct Slots {
    /// The reader's zone; the slots are in UTC.
    pub time_zone: String,
    /// In order, one after the other.
    pub slots: Vec<Slot>,
}

/// Free slots of a reader
///
/// A reader without hours has none.
#[utoipa::path(
    get, path = "/api/availability/{reader_id}", tag = "appointments",
    params(("reader_id" = Uuid, Path, description = "The reader."), SlotQuery),
    responses((status = 200, description = "The slots.", body = Success<Slots>))
)]
pub async fn list_slots(
    _user: User,
    state: State<Orders>,
    ReaderId(reader): ReaderId,
    Query(query): Query<SlotQuery>,
) -> Result<Reply, ApiError> {
    let now = state.now();
    // Whose appointments fill the hours stays untold.
    let slots = state
        .db
        .read(Scope::Service, async move |tx: &mut Tx| -> Result<Slots, Error> {
            if !readers::is_available(tx, reader).await? {
                return Err(Error::Db(parlour_db::DbError::NotFound));
            }
            let Some(row) = availability::find(tx, reader).await? else {
                return Ok(Slots {
                    time_zone: chrono_tz::UTC.name().to_owned(),
                    slots: Vec::new(),
                });
            };
            let hours = hours_of(&row)?;
            let range = range(&query, hours.zone, now, row.horizon_days)?;
            let busy = appointments::busy(tx, reader, range).await?;
            let free = slots::free(&hours.open_within(range), &busy);
            let length = Duration::minutes(query.duration_minutes.unwrap_or(60));
            let slots = slots::cut(&free, length).into_iter().map(|span| Slot {
                start: span.start.into(),
                end: span.end.into(),
            });
            Ok(Slots {
                time_zone: row.time_zone,
                slots: slots.collect(),
            })
        })
        .await?;
    Reply::ok(slots)
}

/// What was asked for, without what is past and what is too far ahead.
fn range(query: &SlotQuery, zone: Tz, now: DateTime<Utc>, horizon_days: i32) -> Result<Span, Error> {
    let from = query.from.as_deref().and_then(|text| moment(text, zone, 0));
    let from = from.unwrap_or(now);
    let to = query.to.as_deref().and_then(|text| moment(text, zone, 1));
    let to = match to {
        Some(to) => to,
        None => from.checked_add_signed(Duration::days(7)).unwrap_or(from),
    };
    if to < from {
        return Err(Error::Field("to", "must not be before from"));
    }
    // A day more for dates in a zone whose days are longer than 24 hours.
    if to - from > Duration::days(MOST_DAYS + 1) {
        return Err(Error::Field("to", "must be at most 31 days after from"));
    }
    let horizon = now + Duration::days(i64::from(horizon_days));
    Ok(Span {
        start: whole_minute(from.max(now)),
        end: to.min(horizon),
    })
}

/// The first whole minute from `time` on.
fn whole_minute(time: DateTime<Utc>) -> DateTime<Utc> {
    let over = time.timestamp_micros().rem_euclid(60_000_000);
    if over == 0 {
        time
    } else {
        time + Duration::microseconds(60_000_000 - over)
    }
}
