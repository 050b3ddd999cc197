//! `/api/availability…`

pub mod put;
pub mod slots;

use std::collections::BTreeMap;

use chrono::NaiveDate;
use parlour_http::{Problems, Routes};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::domain::hours::{DAY, DayPart, Exception, Hours};
use crate::error::Error;
use crate::store::availability::Availability;

/// Routes below `/api/availability`.
pub fn routes() -> Routes {
    slots::route(put::route(Routes::of(crate::NAME)))
}

/// A day of the week.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the names say it")]
pub enum Weekday {
    Monday,
    Tuesday,
    Wednesday,
    Thursday,
    Friday,
    Saturday,
    Sunday,
}

/// Hours of a weekday. A day may have several; a shift over midnight is two.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct WeeklyHours {
    /// `monday` … `sunday`.
    pub day: Weekday,
    /// `HH:MM` on the wall.
    #[schema(pattern = "^([01][0-9]|2[0-3]):[0-5][0-9]$")]
    pub start: String,
    /// `HH:MM`, up to `24:00`.
    #[schema(pattern = "^(([01][0-9]|2[0-3]):[0-5][0-9]|24:00)$")]
    pub end: String,
}

/// What one date has instead of its weekday's hours.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct DateException {
    /// The date.
    #[schema(format = "date")]
    pub date: NaiveDate,
    /// True: these are the hours of that date. False: these hours are taken away, or
    /// without any the whole day.
    pub available: bool,
    /// `HH:MM` on the wall.
    #[schema(pattern = "^([01][0-9]|2[0-3]):[0-5][0-9]$")]
    pub start: Option<String>,
    /// `HH:MM`, up to `24:00`.
    #[schema(pattern = "^(([01][0-9]|2[0-3]):[0-5][0-9]|24:00)$")]
    pub end: Option<String>,
}

/// The minutes from midnight of `HH:MM`.
fn minutes(text: &str) -> Option<u16> {
    let (hours, minutes) = text.split_once(':')?;
    let (hours, minutes): (u16, u16) = (hours.parse().ok()?, minutes.parse().ok()?);
    let total = hours.checked_mul(60)?.checked_add(minutes)?;
    (minutes < 60 && total <= DAY).then_some(total)
}

fn part(start: &str, end: &str) -> Option<DayPart> {
    let (start, end) = (minutes(start)?, minutes(end)?);
    (start < end).then_some(DayPart { start, end })
}

impl WeeklyHours {
    fn part(&self) -> Option<DayPart> {
        part(&self.start, &self.end)
    }
}

impl DateException {
    /// The part of the day it is about; `None` when its hours make no sense.
    fn part(&self) -> Option<DayPart> {
        match (&self.start, &self.end) {
            (Some(start), Some(end)) => part(start, end),
            (None, None) if !self.available => Some(DayPart { start: 0, end: DAY }),
            _ => None,
        }
    }
}

/// Whether all hours make sense.
fn check(problems: &mut Problems, weekly: &[WeeklyHours], exceptions: &[DateException]) {
    for (index, hours) in weekly.iter().enumerate() {
        let fine = hours.part().is_some();
        problems.require(fine, &format!("weekly[{index}]"), "must start before it ends");
    }
    for (index, exception) in exceptions.iter().enumerate() {
        let fine = exception.part().is_some();
        let name = format!("exceptions[{index}]");
        problems.require(
            fine,
            &name,
            "needs a start before its end, or no hours and available: false",
        );
    }
}

/// The hours that a row says.
pub fn hours_of(row: &Availability) -> Result<Hours, Error> {
    let weekly: Vec<WeeklyHours> = serde_json::from_value(row.weekly.clone())?;
    let exceptions: Vec<DateException> = serde_json::from_value(row.exceptions.clone())?;
    let mut week: [Vec<DayPart>; 7] = Default::default();
    for hours in &weekly {
        if let (Some(day), Some(part)) = (week.get_mut(hours.day as usize), hours.part()) {
            day.push(part);
        }
    }
    let mut dates: BTreeMap<NaiveDate, Exception> = BTreeMap::new();
    for exception in &exceptions {
        let Some(part) = exception.part() else { continue };
        let date = dates.entry(exception.date).or_default();
        if exception.available {
            date.open.push(part);
        } else {
            date.closed.push(part);
        }
    }
    // Only zones that are known are stored; one that is dropped from the data is read as UTC.
    let zone = row.time_zone.parse().unwrap_or(chrono_tz::UTC);
    Ok(Hours {
        zone,
        week,
        exceptions: dates,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_clock_is_read() {
        assert_eq!((minutes("09:05"), minutes("24:00")), (Some(545), Some(DAY)));
        for wrong in ["24:01", "9", "09:60", "-1:00", "aa:bb", ""] {
            assert_eq!(minutes(wrong), None, "{wrong}");
        }
        assert!(part("09:00", "09:00").is_none() && part("17:00", "09:00").is_none());
    }
}
