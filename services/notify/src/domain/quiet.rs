//! Quiet hours over the changes of the clock.

use chrono::{DateTime, Days, Duration, MappedLocalTime, NaiveDateTime, TimeZone as _, Utc};
use chrono_tz::Tz;

use super::wishes::QuietHours;

/// When the quiet hours that `now` lies in are over; `None` outside of them.
///
/// Start and end are times on the wall's clock. One that the clock skips is the first
/// moment after the gap. Of one that it shows twice, hours begin at the first and end at the second:
/// when in doubt, a person is left in peace.
pub fn until(hours: &QuietHours, zone: Tz, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
    if !hours.enabled {
        return None;
    }
    let today = now.with_timezone(&zone).date_naive();
    // Those that began yesterday may still last.
    let days = [today.checked_sub_days(Days::new(1)), Some(today)];
    days.into_iter().flatten().find_map(|day| {
        let begins = hours.days.as_ref().is_none_or(|days| {
            use chrono::Datelike as _;
            days.contains(&day.weekday())
        });
        if !begins {
            return None;
        }
        let last = if hours.end > hours.start {
            day
        } else {
            day.checked_add_days(Days::new(1))?
        };
        let start = moment(zone, day.and_time(hours.start), Side::First)?;
        let end = moment(zone, last.and_time(hours.end), Side::Second)?;
        (start <= now && now < end).then_some(end)
    })
}

#[derive(Clone, Copy)]
enum Side {
    First,
    Second,
}

/// The moment at which the wall's clock shows `local`.
fn moment(zone: Tz, local: NaiveDateTime, side: Side) -> Option<DateTime<Utc>> {
    let found = match (zone.from_local_datetime(&local), side) {
        (MappedLocalTime::Single(only), _) => only,
        (MappedLocalTime::Ambiguous(first, _), Side::First) => first,
        (MappedLocalTime::Ambiguous(_, second), Side::Second) => second,
        (MappedLocalTime::None, _) => after_gap(zone, local)?,
    };
    Some(found.to_utc())
}

/// The first moment after the gap that `local` lies in. Gaps begin and end on whole minutes
/// and none was ever longer than a day.
fn after_gap(zone: Tz, local: NaiveDateTime) -> Option<DateTime<Tz>> {
    (1..=24 * 60).find_map(|minutes| {
        let later = local.checked_add_signed(Duration::minutes(minutes))?;
        zone.from_local_datetime(&later).earliest()
    })
}

#[cfg(test)]
mod tests {
    use chrono::{NaiveTime, Weekday};
    use chrono_tz::{America, Asia, Europe};
    use proptest::prelude::*;

    use super::*;

    fn hours(start: &str, end: &str) -> QuietHours {
        let time = |text: &str| NaiveTime::parse_from_str(text, "%H:%M").unwrap();
        QuietHours {
            enabled: true,
            start: time(start),
            end: time(end),
            ..QuietHours::default()
        }
    }

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    fn check(zone: Tz, hours: &QuietHours, cases: &[(&str, Option<&str>)]) {
        for (now, end) in cases {
            assert_eq!(until(hours, zone, at(now)), end.map(at), "{zone} {now}");
        }
    }

    #[test]
    fn a_night_ends_in_the_morning_whatever_the_clock_did_in_it() {
        let night = hours("22:00", "07:00");
        check(
            America::New_York,
            &night,
            &[
                // Spring forward in the night to 8 March 2026: an hour shorter.
                ("2026-03-08T02:59:59Z", None),
                ("2026-03-08T03:00:00Z", Some("2026-03-08T11:00:00Z")),
                ("2026-03-08T10:59:59Z", Some("2026-03-08T11:00:00Z")),
                ("2026-03-08T11:00:00Z", None),
                // Fall back in the night to 1 November 2026: an hour longer.
                ("2026-11-01T01:59:59Z", None),
                ("2026-11-01T02:00:00Z", Some("2026-11-01T12:00:00Z")),
                ("2026-11-01T11:59:59Z", Some("2026-11-01T12:00:00Z")),
                ("2026-11-01T12:00:00Z", None),
            ],
        );
        check(
            Europe::London,
            &night,
            &[
                ("2026-03-28T22:00:00Z", Some("2026-03-29T06:00:00Z")),
                ("2026-03-29T06:00:00Z", None),
                ("2026-10-24T21:00:00Z", Some("2026-10-25T07:00:00Z")),
                ("2026-10-25T06:59:59Z", Some("2026-10-25T07:00:00Z")),
                ("2026-10-25T07:00:00Z", None),
            ],
        );
        // Riyadh never changes its clock.
        for day in ["2026-03-29", "2026-10-25"] {
            let end = format!("{day}T04:00:00Z");
            check(
                Asia::Riyadh,
                &night,
                &[
                    (&format!("{day}T03:59:59Z"), Some(&end)),
                    (&end, None),
                    (&format!("{day}T18:59:59Z"), None),
                ],
            );
        }
    }

    #[test]
    fn a_time_that_does_not_exist_or_exists_twice_errs_on_the_quiet_side() {
        // 02:30 is skipped in New York on 8 March; 01:30 comes twice on 1 November.
        check(
            America::New_York,
            &hours("23:00", "02:30"),
            &[
                ("2026-03-08T06:59:59Z", Some("2026-03-08T07:00:00Z")),
                ("2026-03-08T07:00:00Z", None),
            ],
        );
        check(
            America::New_York,
            &hours("23:00", "01:30"),
            &[
                ("2026-11-01T05:45:00Z", Some("2026-11-01T06:30:00Z")),
                ("2026-11-01T06:30:00Z", None),
            ],
        );
        check(
            America::New_York,
            &hours("01:30", "03:00"),
            &[
                ("2026-11-01T05:29:59Z", None),
                ("2026-11-01T05:30:00Z", Some("2026-11-01T08:00:00Z")),
            ],
        );
    }

    #[test]
    fn days_are_those_on_which_the_hours_begin() {
        let mut weekend = hours("22:00", "07:00");
        weekend.days = Some(vec![Weekday::Fri, Weekday::Sat]);
        check(
            Asia::Riyadh,
            &weekend,
            &[
                ("2026-05-07T20:00:00Z", None),                         // Thursday evening
                ("2026-05-08T20:00:00Z", Some("2026-05-09T04:00:00Z")), // Friday evening
                ("2026-05-10T03:00:00Z", Some("2026-05-10T04:00:00Z")), // Sunday morning
                ("2026-05-10T20:00:00Z", None),                         // Sunday evening
            ],
        );
        let mut off = hours("00:00", "23:59");
        off.enabled = false;
        check(Asia::Riyadh, &off, &[("2026-05-07T20:00:00Z", None)]);
    }

    proptest! {
        #[test]
        fn the_end_is_later_and_not_quiet_itself(
            seconds in 1_700_000_000i64..1_900_000_000,
            zone in prop::sample::select(vec![
                America::New_York, Europe::London, Asia::Riyadh, Tz::Australia__Lord_Howe, Tz::America__St_Johns,
            ]),
            start in 0u32..1440,
            length in 1u32..1380,
        ) {
            let time = |minute: u32| NaiveTime::from_hms_opt(minute / 60 % 24, minute % 60, 0).unwrap();
            let hours = QuietHours {
                enabled: true, start: time(start), end: time((start + length) % 1440), ..QuietHours::default()
            };
            let now = DateTime::from_timestamp(seconds, 0).unwrap();
            if let Some(end) = until(&hours, zone, now) {
                prop_assert!(end > now && end - now <= Duration::hours(25));
                // Unless the next ones begin right away, which an hour that comes twice can do.
                prop_assert!(until(&hours, zone, end).is_none() || length > 1320);
            }
        }
    }
}
