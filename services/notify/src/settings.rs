//! `[notify]`

use std::time::Duration as Pause;

use chrono::Duration;
use parlour_config::{Environment, Part};
use serde::Deserialize;

use crate::domain::Channel;
use crate::domain::retry::Patience;

/// The service's configuration; `config.default.toml` says what each value means.
#[derive(Clone, Debug, Deserialize)]
#[expect(missing_docs, reason = "config.default.toml documents them")]
pub struct Settings {
    pub brand: String,
    pub notification_url: String,
    pub settings_url: String,
    pub public_rooms: Vec<String>,
    pub room_seconds: u32,
    pub rules_ms: u64,
    pub retention_days: u32,
    pub hourly: Hourly,
    pub dispatch: Dispatch,
    pub emergency: Emergency,
    pub bulk: Bulk,
}

/// Messages to one person within an hour.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "config.default.toml documents them")]
pub struct Hourly {
    pub email: i64,
    pub sms: i64,
    pub push: i64,
}

impl Hourly {
    /// The figure of a channel; sockets have none.
    pub fn of(self, channel: Channel) -> i64 {
        match channel {
            Channel::Socket => i64::MAX,
            Channel::Email => self.email,
            Channel::Sms => self.sms,
            Channel::Push => self.push,
        }
    }
}

/// How deliveries are sent.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "config.default.toml documents them")]
pub struct Dispatch {
    pub concurrency: u16,
    pub lease_seconds: u32,
    pub poll_ms: u64,
    pub retry_seconds: u32,
    pub retry_most_seconds: u32,
    pub attempts: u16,
    pub lifetime_hours: u32,
}

impl Dispatch {
    /// How long a delivery is one process's.
    pub fn lease(&self) -> Duration {
        Duration::seconds(self.lease_seconds.into())
    }

    /// How failed attempts are repeated.
    pub fn patience(&self) -> Patience {
        Patience {
            first: Duration::seconds(self.retry_seconds.into()),
            longest: Duration::seconds(self.retry_most_seconds.into()),
            attempts: self.attempts.into(),
            lifetime: Duration::hours(self.lifetime_hours.into()),
        }
    }
}

/// How emergencies are repeated.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "config.default.toml documents them")]
pub struct Emergency {
    pub repeat_seconds: u32,
    pub repeat_most_seconds: u32,
    pub expire_minutes: u32,
}

impl Emergency {
    /// The pause after an emergency was told `round` times again.
    pub fn pause(&self, round: i32) -> Duration {
        let doublings = u32::try_from(round).unwrap_or(0).min(20);
        let seconds = i64::from(self.repeat_seconds) << doublings;
        Duration::seconds(seconds.min(self.repeat_most_seconds.into()))
    }
}

/// How many are told.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "config.default.toml documents them")]
pub struct Bulk {
    pub batch: u16,
    pub per_second: u32,
    pub pause_ms: u64,
    pub open: u16,
}

impl Bulk {
    /// How long a job rests after a batch that took so long.
    pub fn rest(&self, took: Pause) -> Pause {
        let slot = Pause::from_secs(1) * u32::from(self.batch) / self.per_second;
        Pause::from_millis(self.pause_ms).max(slot.saturating_sub(took))
    }
}

impl Part for Settings {
    fn problems(&self, environment: Environment) -> Vec<String> {
        let mut problems = Vec::new();
        let mut require = |fine: bool, problem: &str| {
            if !fine {
                problems.push(problem.to_owned());
            }
        };
        require(
            self.notification_url.contains("{id}"),
            "notification_url must contain {id}",
        );
        for (name, url) in [
            ("notification_url", &self.notification_url),
            ("settings_url", &self.settings_url),
        ] {
            let safe = !environment.is_production() || url.starts_with("https://");
            require(safe, &format!("{name} must begin with https:// in production"));
        }
        require(
            self.dispatch.concurrency > 0,
            "dispatch.concurrency must be at least 1",
        );
        require(
            self.dispatch.lease_seconds >= 10,
            "dispatch.lease_seconds must be at least 10",
        );
        require(self.dispatch.attempts > 0, "dispatch.attempts must be at least 1");
        require(
            self.emergency.repeat_seconds > 0,
            "emergency.repeat_seconds must be at least 1",
        );
        require(
            self.emergency.expire_minutes > 0,
            "emergency.expire_minutes must be at least 1",
        );
        require(
            (1..=2000).contains(&self.bulk.batch),
            "bulk.batch must be between 1 and 2000",
        );
        require(self.bulk.per_second > 0, "bulk.per_second must be at least 1");
        require(self.room_seconds > 0, "room_seconds must be at least 1");
        require(self.retention_days > 0, "retention_days must be at least 1");
        problems
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_job_rests_until_its_turn_and_never_too_short() {
        let bulk = Bulk {
            batch: 60,
            per_second: 4000,
            pause_ms: 6,
            open: 1,
        };
        let rests = [0, 5, 9, 12, 100].map(|took| bulk.rest(Pause::from_millis(took)));
        assert_eq!(rests, [15, 10, 6, 6, 6].map(Pause::from_millis));
    }

    #[test]
    fn emergencies_slow_down_and_never_stop() {
        let emergency = Emergency {
            repeat_seconds: 30,
            repeat_most_seconds: 900,
            expire_minutes: 60,
        };
        let pauses: Vec<i64> = [0, 1, 4, 5, 1000]
            .map(|round| emergency.pause(round).num_seconds())
            .into();
        assert_eq!(pauses, [30, 60, 480, 900, 900]);
    }
}
