//! What a person changes about what they are told.

use std::collections::BTreeMap;

use chrono::{NaiveTime, Weekday};
use chrono_tz::Tz;
use parlour_http::{Check, Problems};
use serde::Deserialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::domain::wishes::Wishes;
use crate::domain::{Channel, kinds};
use crate::error::Error;

/// Types that a person may have preferences for at the most.
const MOST: usize = 200;

const DAYS: [(&str, Weekday); 7] = [
    ("monday", Weekday::Mon),
    ("tuesday", Weekday::Tue),
    ("wednesday", Weekday::Wed),
    ("thursday", Weekday::Thu),
    ("friday", Weekday::Fri),
    ("saturday", Weekday::Sat),
    ("sunday", Weekday::Sun),
];

/// The name of a day.
pub(super) fn day_name(day: Weekday) -> &'static str {
    let found = DAYS.iter().find(|(_, known)| *known == day);
    found.map_or("monday", |(name, _)| name)
}

/// What is changed; what is left out stays.
#[derive(Debug, Default, Deserialize, ToSchema)]
pub struct SettingsChange {
    /// `{"<type>": {"socket": true, "email": false, "sms": null, "push": true}}`
    #[schema(value_type = Option<Object>)]
    pub preferences: Option<BTreeMap<String, Value>>,
    /// When not to be disturbed.
    pub quiet_hours: Option<QuietHoursChange>,
    /// A language such as `ar` or `en-GB`.
    #[schema(min_length = 2, max_length = 35)]
    pub locale: Option<String>,
    /// What may wait.
    pub digest: Option<DigestChange>,
}

/// Quiet hours.
#[derive(Debug, Default, Deserialize, ToSchema)]
pub struct QuietHoursChange {
    /// Whether they count.
    pub enabled: Option<bool>,
    /// `HH:MM`
    #[schema(pattern = "^([01][0-9]|2[0-3]):[0-5][0-9]$", example = "22:00")]
    pub start: Option<String>,
    /// `HH:MM`; on the next day when it is not after `start`.
    #[schema(pattern = "^([01][0-9]|2[0-3]):[0-5][0-9]$", example = "07:00")]
    pub end: Option<String>,
    /// IANA name.
    #[schema(max_length = 64, example = "Asia/Riyadh")]
    pub time_zone: Option<String>,
    /// `monday` … `sunday`, on which they begin; an empty list is every day.
    #[schema(max_items = 7)]
    pub days: Option<Vec<String>>,
}

/// Digests.
#[derive(Debug, Default, Deserialize, ToSchema)]
pub struct DigestChange {
    /// Whether notifications of low priority are put together.
    pub enabled: Option<bool>,
    /// For how long they are collected.
    #[schema(minimum = 1, maximum = 10_080)]
    pub window_minutes: Option<u16>,
}

impl Check for SettingsChange {
    fn check(&self, problems: &mut Problems) {
        for (kind, channels) in self.preferences.iter().flatten() {
            check_kind(kind, channels, problems);
        }
        if let Some(locale) = &self.locale {
            let fine = locale
                .split('-')
                .all(|part| (1..=8).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_alphanumeric()));
            problems.require(fine, "locale", "must be a BCP 47 language tag");
        }
        let Some(hours) = &self.quiet_hours else { return };
        let known = hours
            .time_zone
            .as_deref()
            .is_none_or(|zone| zone.parse::<Tz>().is_ok());
        problems.require(known, "quiet_hours.time_zone", "must be an IANA time zone");
        for (index, day) in hours.days.iter().flatten().enumerate() {
            let known = DAYS.iter().any(|(name, _)| name == day);
            problems.require(
                known,
                &format!("quiet_hours.days[{index}]"),
                "must be a day such as monday",
            );
        }
    }
}

fn check_kind(kind: &str, channels: &Value, problems: &mut Problems) {
    // A stranger's text is not repeated whole.
    let shown: String = kind.chars().take(64).collect();
    let field = format!("preferences.{shown}");
    if !kinds::is_name(kind) {
        return problems.add(&field, "is not the name of a type");
    }
    let Some(channels) = channels.as_object() else {
        return problems.add(&field, "must be an object of channels");
    };
    for (name, wish) in channels {
        let name: String = name.chars().take(64).collect();
        let field = format!("{field}.{name}");
        problems.require(
            Channel::named(&name).is_some(),
            &field,
            "must be socket, email, sms or push",
        );
        problems.require(
            wish.is_boolean() || wish.is_null(),
            &field,
            "must be true, false or null",
        );
    }
}

impl SettingsChange {
    /// Applies it and answers the names of the parts that were changed.
    pub(super) fn apply(self, wishes: &mut Wishes) -> Result<Vec<&'static str>, Error> {
        let mut fields = Vec::new();
        if let Some(preferences) = self.preferences {
            fields.push("preferences");
            for (kind, channels) in preferences {
                set(wishes, &kind, &channels);
            }
            if wishes.preferences.len() > MOST {
                return Err(Error::field("preferences", "must have at most 200 types"));
            }
        }
        if let Some(hours) = self.quiet_hours {
            fields.push("quiet_hours");
            hours.apply(wishes);
            if wishes.quiet_hours.enabled && wishes.quiet_hours.start == wishes.quiet_hours.end {
                return Err(Error::field("quiet_hours.end", "must differ from start"));
            }
        }
        if let Some(locale) = self.locale {
            fields.push("locale");
            wishes.locale = Some(locale);
        }
        if let Some(digest) = self.digest {
            fields.push("digest");
            let known = &mut wishes.digest;
            known.enabled = digest.enabled.unwrap_or(known.enabled);
            known.window_minutes = digest.window_minutes.unwrap_or(known.window_minutes);
        }
        Ok(fields)
    }
}

fn set(wishes: &mut Wishes, kind: &str, channels: &Value) {
    let entry = wishes.preferences.entry(kind.to_owned()).or_default();
    for (name, wish) in channels.as_object().into_iter().flatten() {
        let Some(channel) = Channel::named(name) else {
            continue;
        };
        match wish.as_bool() {
            Some(on) => drop(entry.insert(channel, on)),
            None => drop(entry.remove(&channel)),
        }
    }
    if entry.is_empty() {
        wishes.preferences.remove(kind);
    }
}

impl QuietHoursChange {
    fn apply(self, wishes: &mut Wishes) {
        let hours = &mut wishes.quiet_hours;
        let time = |text: Option<String>| NaiveTime::parse_from_str(&text?, "%H:%M").ok();
        hours.enabled = self.enabled.unwrap_or(hours.enabled);
        hours.start = time(self.start).unwrap_or(hours.start);
        hours.end = time(self.end).unwrap_or(hours.end);
        hours.time_zone = self
            .time_zone
            .and_then(|zone| zone.parse().ok())
            .or(hours.time_zone);
        if let Some(days) = self.days {
            let known = days
                .iter()
                .filter_map(|day| DAYS.iter().find(|(name, _)| name == day));
            let mut chosen: Vec<Weekday> = known.map(|(_, day)| *day).collect();
            chosen.sort_by_key(Weekday::num_days_from_monday);
            chosen.dedup();
            hours.days = Some(chosen).filter(|days| !days.is_empty());
        }
    }
}
