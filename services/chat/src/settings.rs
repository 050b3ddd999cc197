//! `[chat]`

use chrono::Duration;
use parlour_config::{Environment, Part};
use serde::Deserialize;

use crate::sockets::settings::SocketSettings;

/// Which half of chat a process runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Run {
    /// Everything.
    Both,
    /// What answers requests, handles events and works by the clock.
    Api,
    /// What holds connections.
    Sockets,
}

impl Run {
    /// Whether the process handles events and works by the clock.
    pub fn has_api(self) -> bool {
        self != Self::Sockets
    }

    /// Whether the process holds connections.
    pub fn has_sockets(self) -> bool {
        self != Self::Api
    }
}

/// The service's configuration; `config.default.toml` says what each value means.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "config.default.toml documents them")]
pub struct Settings {
    pub public_url: String,
    pub media_url: String,
    pub media_seconds: u64,
    pub upload_slots: usize,
    pub link_hours: i64,
    pub hold_voice_notes: bool,
    pub probation_minutes: i64,
    pub most_held: i32,
    pub grace_hours: i64,
    pub most_participants: usize,
    pub most_members: i32,
    pub waiting_pushes: usize,
    pub run: Run,
    pub sockets: SocketSettings,
}

impl Settings {
    /// How long the conversation of a delivered order goes on.
    pub fn grace(&self) -> Duration {
        Duration::hours(self.grace_hours)
    }

    /// For how long a new account is on probation.
    pub fn probation(&self) -> Duration {
        Duration::minutes(self.probation_minutes)
    }
}

impl Part for Settings {
    fn problems(&self, _environment: Environment) -> Vec<String> {
        let is_url = |url: &str| url.starts_with("http://") || url.starts_with("https://");
        let fine = [
            (is_url(&self.public_url), "public_url must be an http(s) URL"),
            (is_url(&self.media_url), "media_url must be an http(s) URL"),
            (
                (1..=600).contains(&self.media_seconds),
                "media_seconds must be from 1 to 600",
            ),
            (
                (1..=256).contains(&self.upload_slots),
                "upload_slots must be from 1 to 256",
            ),
            (
                (1..=24 * 31).contains(&self.link_hours),
                "link_hours must be from 1 to 744",
            ),
            (
                (0..=525_600).contains(&self.probation_minutes),
                "probation_minutes must be from 0 to 525600",
            ),
            (
                (1..=1000).contains(&self.most_held),
                "most_held must be from 1 to 1000",
            ),
            (
                (0..=8760).contains(&self.grace_hours),
                "grace_hours must be from 0 to 8760",
            ),
            (
                (2..=1000).contains(&self.most_participants),
                "most_participants must be from 2 to 1000",
            ),
            (
                (2..=10_000).contains(&self.most_members),
                "most_members must be from 2 to 10000",
            ),
            (
                (1..=1_000_000).contains(&self.waiting_pushes),
                "waiting_pushes must be from 1 to 1000000",
            ),
        ];
        let wrong = fine.iter().filter(|(fine, _)| !fine);
        let mut problems: Vec<String> = wrong.map(|(_, problem)| (*problem).to_owned()).collect();
        problems.extend(self.sockets.problems());
        problems
    }
}
