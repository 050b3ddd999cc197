//! `[orders]`

use chrono::Duration;
use parlour_config::{Environment, Part};
use serde::Deserialize;

/// The most minutes that any of the settings may say: a year.
const MOST_MINUTES: i64 = 366 * 24 * 60;

/// The service's configuration; `config.default.toml` says what each value means.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "config.default.toml documents them")]
pub struct Settings {
    pub auto_assign: bool,
    pub assignment_minutes: i64,
    pub result_minutes: i64,
    pub review_minutes: i64,
    pub reminder_minutes: Vec<i32>,
    pub completion_minutes: i64,
    pub horizon_days: i32,
}

impl Settings {
    /// How long after its end a confirmed appointment counts as completed.
    pub fn completion(&self) -> Duration {
        Duration::minutes(self.completion_minutes)
    }
}

impl Part for Settings {
    fn problems(&self, _environment: Environment) -> Vec<String> {
        let mut problems = Vec::new();
        for (name, minutes) in [
            ("assignment_minutes", self.assignment_minutes),
            ("result_minutes", self.result_minutes),
            ("review_minutes", self.review_minutes),
        ] {
            if !(1..=MOST_MINUTES).contains(&minutes) {
                problems.push(format!("{name} must be from 1 to {MOST_MINUTES}"));
            }
        }
        if !(0..=MOST_MINUTES).contains(&self.completion_minutes) {
            problems.push(format!("completion_minutes must be from 0 to {MOST_MINUTES}"));
        }
        let far = |minutes: &i32| !(1..=MOST_MINUTES).contains(&i64::from(*minutes));
        if self.reminder_minutes.iter().any(far) {
            problems.push(format!("reminder_minutes must be from 1 to {MOST_MINUTES} each"));
        }
        if !(1..=366).contains(&self.horizon_days) {
            problems.push("horizon_days must be from 1 to 366".to_owned());
        }
        problems
    }
}
