//! A counsellor's week in their own time zone, and what it is in UTC. Days on which
//! the clocks change are as long as they are there.

use std::collections::BTreeMap;

use chrono::{
    DateTime, Datelike as _, Days, Duration, MappedLocalTime, NaiveDate, NaiveDateTime, TimeZone as _, Utc,
};
use chrono_tz::Tz;

/// A stretch of time: from its start up to, not including, its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Span {
    /// The first moment in it.
    pub start: DateTime<Utc>,
    /// The first moment behind it.
    pub end: DateTime<Utc>,
}

impl Span {
    /// Whether there is a moment in both.
    pub fn overlaps(&self, other: &Span) -> bool {
        self.start < other.end && other.start < self.end
    }

    /// Whether all of `other` is in it.
    pub fn contains(&self, other: &Span) -> bool {
        self.start <= other.start && other.end <= self.end
    }
}

/// Part of a day by the clock on the wall, in minutes from midnight; `end` up to 24 hours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct DayPart {
    /// From here.
    pub start: u16,
    /// Up to here.
    pub end: u16,
}

/// The minutes of a whole day.
pub const DAY: u16 = 24 * 60;

/// What one date has instead of its weekday's hours.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Exception {
    /// The hours of that date; when there are any, the weekday's do not count.
    pub open: Vec<DayPart>,
    /// What is taken away from them.
    pub closed: Vec<DayPart>,
}

/// When somebody can be booked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hours {
    /// Where their clock hangs.
    pub zone: Tz,
    /// Monday first.
    pub week: [Vec<DayPart>; 7],
    /// By date.
    pub exceptions: BTreeMap<NaiveDate, Exception>,
}

impl Hours {
    /// The stretches within `range` in which they can be booked, in order, apart from each other.
    pub fn open_within(&self, range: Span) -> Vec<Span> {
        if range.start >= range.end {
            return Vec::new();
        }
        let mut spans = Vec::new();
        // A day wider at both ends: a clock that is turned back over midnight shows yesterday again.
        let first = range.start.with_timezone(&self.zone).date_naive() - Days::new(1);
        let last = range.end.with_timezone(&self.zone).date_naive() + Days::new(1);
        for date in first.iter_days().take_while(|date| *date <= last) {
            for part in self.parts_of(date) {
                let span = Span {
                    start: moment(self.zone, date, part.start, Side::Start).max(range.start),
                    end: moment(self.zone, date, part.end, Side::End).min(range.end),
                };
                if span.start < span.end {
                    spans.push(span);
                }
            }
        }
        joined(spans)
    }

    /// Whether all of `span` is open.
    pub fn is_open(&self, span: Span) -> bool {
        self.open_within(span).iter().any(|open| open.contains(&span))
    }

    fn parts_of(&self, date: NaiveDate) -> Vec<DayPart> {
        let weekday = usize::try_from(date.weekday().num_days_from_monday()).unwrap_or_default();
        let usual = self.week.get(weekday).cloned().unwrap_or_default();
        let Some(exception) = self.exceptions.get(&date) else {
            return usual;
        };
        let mut parts = if exception.open.is_empty() {
            usual
        } else {
            exception.open.clone()
        };
        for closed in &exception.closed {
            parts = parts
                .into_iter()
                .flat_map(|part| without(part, *closed))
                .collect();
        }
        parts
    }
}

/// What is left of `part`.
fn without(part: DayPart, closed: DayPart) -> impl Iterator<Item = DayPart> {
    let before = DayPart {
        start: part.start,
        end: part.end.min(closed.start),
    };
    let behind = DayPart {
        start: part.start.max(closed.end),
        end: part.end,
    };
    [before, behind].into_iter().filter(|left| left.start < left.end)
}

/// In order, those that touch made one.
fn joined(mut spans: Vec<Span>) -> Vec<Span> {
    spans.sort_unstable();
    let mut joined: Vec<Span> = Vec::with_capacity(spans.len());
    for span in spans {
        match joined.last_mut() {
            Some(last) if span.start <= last.end => last.end = last.end.max(span.end),
            _ => joined.push(span),
        }
    }
    joined
}

/// Which end of a stretch a moment is.
#[derive(Clone, Copy)]
enum Side {
    Start,
    End,
}

/// The moment at which the clock on the wall shows this. A time that it shows twice is
/// the first at the start of a stretch and the last at its end; one that it skips is
/// when it skips.
fn moment(zone: Tz, date: NaiveDate, minutes: u16, side: Side) -> DateTime<Utc> {
    let midnight = date.and_time(chrono::NaiveTime::MIN);
    let mut local: NaiveDateTime = midnight + Duration::minutes(i64::from(minutes));
    // The longest that a clock ever skipped is a day, when an island changed sides.
    for _ in 0..=2 * u32::from(DAY) {
        match zone.from_local_datetime(&local) {
            MappedLocalTime::Single(moment) => return moment.to_utc(),
            MappedLocalTime::Ambiguous(first, last) => {
                return match side {
                    Side::Start => first.to_utc(),
                    Side::End => last.to_utc(),
                };
            }
            MappedLocalTime::None => local += Duration::minutes(1),
        }
    }
    local.and_utc()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn utc(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    fn span(start: &str, end: &str) -> Span {
        Span {
            start: utc(start),
            end: utc(end),
        }
    }

    fn every_day(zone: Tz, start: u16, end: u16) -> Hours {
        Hours {
            zone,
            week: std::array::from_fn(|_| vec![DayPart { start, end }]),
            exceptions: BTreeMap::new(),
        }
    }

    #[test]
    fn nine_to_five_moves_with_the_clocks() {
        let days = span("2026-03-07T00:00:00Z", "2026-03-10T00:00:00Z");
        let new_york = every_day(chrono_tz::America::New_York, 9 * 60, 17 * 60).open_within(days);
        // The clocks went forward on the 8th.
        assert_eq!(
            new_york,
            [
                span("2026-03-07T14:00:00Z", "2026-03-07T22:00:00Z"),
                span("2026-03-08T13:00:00Z", "2026-03-08T21:00:00Z"),
                span("2026-03-09T13:00:00Z", "2026-03-09T21:00:00Z"),
            ]
        );
        let days = span("2026-10-24T00:00:00Z", "2026-10-26T00:00:00Z");
        let london = every_day(chrono_tz::Europe::London, 9 * 60, 17 * 60).open_within(days);
        assert_eq!(
            london,
            [
                span("2026-10-24T08:00:00Z", "2026-10-24T16:00:00Z"),
                span("2026-10-25T09:00:00Z", "2026-10-25T17:00:00Z"),
            ]
        );
        let riyadh = every_day(chrono_tz::Asia::Riyadh, 9 * 60, 17 * 60).open_within(days);
        assert_eq!(riyadh[0], span("2026-10-24T06:00:00Z", "2026-10-24T14:00:00Z"));
    }

    #[test]
    fn the_night_of_the_change_is_as_long_as_it_is() {
        let night = every_day(chrono_tz::America::New_York, 60, 180);
        let spring = night.open_within(span("2026-03-08T05:00:00Z", "2026-03-09T04:00:00Z"));
        assert_eq!(spring, [span("2026-03-08T06:00:00Z", "2026-03-08T07:00:00Z")]);
        let autumn = night.open_within(span("2026-11-01T04:00:00Z", "2026-11-02T05:00:00Z"));
        assert_eq!(autumn, [span("2026-11-01T05:00:00Z", "2026-11-01T08:00:00Z")]);
        // 02:30 does not exist that night: what starts then starts at 03:00.
        let half_past = every_day(chrono_tz::America::New_York, 150, 240);
        let spring = half_past.open_within(span("2026-03-08T05:00:00Z", "2026-03-09T04:00:00Z"));
        assert_eq!(spring, [span("2026-03-08T07:00:00Z", "2026-03-08T08:00:00Z")]);
    }

    #[test]
    fn a_whole_week_is_one_stretch_over_the_change() {
        let always = every_day(chrono_tz::Europe::London, 0, DAY);
        let range = span("2026-03-27T12:00:00Z", "2026-03-31T12:00:00Z");
        assert_eq!(always.open_within(range), [range]);
        assert!(always.is_open(range));
    }

    #[test]
    fn an_exception_replaces_closes_or_cuts() {
        let mut hours = every_day(chrono_tz::UTC, 9 * 60, 17 * 60);
        let date = |day| NaiveDate::from_ymd_opt(2026, 1, day).unwrap();
        let part = |start: u16, end: u16| DayPart {
            start: start * 60,
            end: end * 60,
        };
        let closed = |part| Exception {
            closed: vec![part],
            ..Exception::default()
        };
        hours.exceptions.insert(date(1), closed(part(0, 24)));
        hours.exceptions.insert(date(2), closed(part(12, 13)));
        let open = Exception {
            open: vec![part(20, 22)],
            ..Exception::default()
        };
        hours.exceptions.insert(date(3), open);
        assert_eq!(
            hours.open_within(span("2026-01-01T00:00:00Z", "2026-01-04T00:00:00Z")),
            [
                span("2026-01-02T09:00:00Z", "2026-01-02T12:00:00Z"),
                span("2026-01-02T13:00:00Z", "2026-01-02T17:00:00Z"),
                span("2026-01-03T20:00:00Z", "2026-01-03T22:00:00Z"),
            ]
        );
    }

    fn zones() -> impl Strategy<Value = Tz> {
        prop::sample::select(chrono_tz::TZ_VARIANTS.to_vec())
    }

    proptest! {
        #[test]
        fn stretches_are_in_order_apart_and_within(
            zone in zones(), start in 0u16..DAY, length in 1u16..DAY, from in 0i64..2_000_000_000, hours in 1i64..500,
        ) {
            let week = every_day(zone, start, start.saturating_add(length).min(DAY));
            let start = DateTime::from_timestamp(from, 0).unwrap();
            let range = Span { start, end: start + Duration::hours(hours) };
            let open = week.open_within(range);
            for span in &open {
                prop_assert!(span.start < span.end && range.contains(span));
                prop_assert!(week.is_open(*span));
            }
            for pair in open.windows(2) {
                prop_assert!(pair[0].end < pair[1].start);
            }
        }

        #[test]
        fn always_is_always(zone in zones(), from in 0i64..2_000_000_000, hours in 1i64..500) {
            let start = DateTime::from_timestamp(from, 0).unwrap();
            let range = Span { start, end: start + Duration::hours(hours) };
            prop_assert_eq!(every_day(zone, 0, DAY).open_within(range), vec![range]);
        }
    }
}
