//! What a person wants to hear, and when.

use std::collections::BTreeMap;

use chrono::{NaiveTime, Weekday};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

use super::Channel;

/// The type that stands for every type a person has not named.
pub const ANY: &str = "all";

/// The settings of one person. What is not set follows from elsewhere.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Wishes {
    /// Channels by type; [`ANY`] for those that are not named.
    pub preferences: BTreeMap<String, BTreeMap<Channel, bool>>,
    /// When not to be disturbed.
    pub quiet_hours: QuietHours,
    /// BCP 47; of the profile when not set.
    pub locale: Option<String>,
    /// What may wait.
    pub digest: Digest,
}

impl Wishes {
    /// What the person said about a type on a channel.
    pub fn of(&self, kind: &str, channel: Channel) -> Option<bool> {
        let said = |kind: &str| self.preferences.get(kind)?.get(&channel).copied();
        said(kind).or_else(|| said(ANY))
    }
}

/// Hours in which a person is not disturbed, on the clock of their wall.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct QuietHours {
    /// Whether they count.
    pub enabled: bool,
    /// The first minute.
    pub start: NaiveTime,
    /// The minute at which they are over; on the next day when it is not after `start`.
    pub end: NaiveTime,
    /// Where the clock hangs; as the profile says when not set.
    pub time_zone: Option<Tz>,
    /// The days on which they begin; every day when not set.
    pub days: Option<Vec<Weekday>>,
}

impl Default for QuietHours {
    fn default() -> Self {
        let at = |hour| NaiveTime::from_hms_opt(hour, 0, 0).unwrap_or_default();
        Self {
            enabled: false,
            start: at(22),
            end: at(7),
            time_zone: None,
            days: None,
        }
    }
}

/// Whether notifications of low priority are put together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Digest {
    /// Whether they are.
    pub enabled: bool,
    /// For how long they are collected.
    pub window_minutes: u16,
}

impl Default for Digest {
    fn default() -> Self {
        Self {
            enabled: true,
            window_minutes: 60,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_named_type_counts_before_all() {
        let mut wishes = Wishes::default();
        assert_eq!(wishes.of("order_rated", Channel::Email), None);
        wishes
            .preferences
            .insert(ANY.into(), [(Channel::Email, false)].into());
        assert_eq!(wishes.of("order_rated", Channel::Email), Some(false));
        wishes
            .preferences
            .insert("order_rated".into(), [(Channel::Email, true)].into());
        assert_eq!(wishes.of("order_rated", Channel::Email), Some(true));
        assert_eq!(wishes.of("order_rated", Channel::Push), None);
    }
}
