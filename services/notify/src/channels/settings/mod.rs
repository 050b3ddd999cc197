//! `[notify.email]`, `[notify.sms]`, `[notify.push]`: who carries what. `config.toml` beside
//! this file has every value with its meaning.
//!
//! Providers are a table by name, not a list, so that a single value of one can come from
//! the environment (`PARLOUR__NOTIFY__EMAIL__PROVIDERS__MAIN__SMTP__PASSWORD_FILE`). `order`
//! says which are used and who is asked first; the others are as if they were not there.

mod http;
mod smtp;

use std::collections::BTreeMap;
use std::time::Duration;

use parlour_config::{Environment, Part};
use serde::Deserialize;

pub use http::{FcmSettings, TwilioSettings, WebPushSettings};
pub use smtp::{Security, SmtpSettings};

use super::breaker::Rules;

/// What is read of `[notify]` here. The service's own part holds the fields of the same
/// names, or ignores them and reads this part beside its own.
#[derive(Clone, Debug, Deserialize)]
pub struct Settings {
    /// `[notify.email]`
    pub email: Group<EmailProvider>,
    /// `[notify.sms]`
    pub sms: Group<SmsProvider>,
    /// `[notify.push]`
    pub push: Group<PushProvider>,
    /// `[notify.sink]`
    pub sink: crate::sink::Settings,
}

/// The providers of one channel.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "config.toml documents them")]
pub struct Group<P> {
    #[serde(deserialize_with = "names")]
    pub order: Vec<String>,
    #[serde(default = "BTreeMap::new")]
    pub providers: BTreeMap<String, P>,
    pub break_after: u32,
    pub back_off_seconds: u64,
    pub longest_back_off_seconds: u64,
}

/// What can carry e-mail.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum EmailProvider {
    /// Any server that speaks SMTP.
    Smtp(SmtpSettings),
    /// The development sink.
    Sink {},
}

/// What can carry text messages.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum SmsProvider {
    /// Twilio's Messages API.
    Twilio(TwilioSettings),
    /// The development sink.
    Sink {},
}

/// What can carry push messages.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum PushProvider {
    /// The push services of browsers.
    WebPush(WebPushSettings),
    /// Firebase Cloud Messaging.
    Fcm(FcmSettings),
}

/// A list of names, or one text with commas: the environment has no lists.
fn names<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Vec<String>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Names {
        List(Vec<String>),
        Text(String),
    }
    Ok(match Names::deserialize(from)? {
        Names::List(list) => list,
        Names::Text(text) => text
            .split(',')
            .map(str::trim)
            .filter(|name| !name.is_empty())
            .map(str::to_owned)
            .collect(),
    })
}

/// A provider's settings that can say what is wrong with them.
pub(super) trait Problems {
    fn problems(&self, environment: Environment) -> Vec<String>;
}

const NO_SINK: &str = "is the development sink, which production refuses; name a real provider";

impl Problems for EmailProvider {
    fn problems(&self, environment: Environment) -> Vec<String> {
        match self {
            Self::Smtp(smtp) => smtp.problems(environment),
            Self::Sink {} => no_sink(environment),
        }
    }
}

impl Problems for SmsProvider {
    fn problems(&self, environment: Environment) -> Vec<String> {
        match self {
            Self::Twilio(twilio) => twilio.problems(environment),
            Self::Sink {} => no_sink(environment),
        }
    }
}

impl Problems for PushProvider {
    fn problems(&self, environment: Environment) -> Vec<String> {
        match self {
            Self::WebPush(web_push) => web_push.problems(environment),
            Self::Fcm(fcm) => fcm.problems(environment),
        }
    }
}

fn no_sink(environment: Environment) -> Vec<String> {
    let refused = environment.is_production().then(|| NO_SINK.to_owned());
    refused.into_iter().collect()
}

impl<P> Group<P> {
    /// The providers in use, in the order in which they are asked.
    pub fn in_order(&self) -> impl Iterator<Item = (&str, &P)> {
        self.order
            .iter()
            .filter_map(|name| Some((name.as_str(), self.providers.get(name)?)))
    }

    pub(super) fn rules(&self) -> Rules {
        Rules {
            failures: self.break_after,
            back_off: Duration::from_secs(self.back_off_seconds),
            longest: Duration::from_secs(self.longest_back_off_seconds),
        }
    }
}

/// What is wrong with a channel's providers and its breaker.
fn group<P: Problems>(key: &str, group: &Group<P>, environment: Environment) -> Vec<String> {
    let mut problems = Vec::new();
    for (at, name) in group.order.iter().enumerate() {
        if !group.providers.contains_key(name) {
            problems.push(format!(
                "{key}.order names {name:?}, and {key}.providers has no such entry"
            ));
        }
        if group.order.iter().take(at).any(|earlier| earlier == name) {
            problems.push(format!("{key}.order names {name:?} twice"));
        }
    }
    for (name, provider) in group.in_order() {
        let found = provider.problems(environment);
        problems.extend(
            found
                .into_iter()
                .map(|what| format!("{key}.providers.{name} {what}")),
        );
    }
    if group.break_after == 0 {
        problems.push(format!("{key}.break_after must be at least 1"));
    }
    if group.back_off_seconds == 0 || group.longest_back_off_seconds < group.back_off_seconds {
        problems.push(format!(
            "{key}.back_off_seconds must be at least 1, and longest_back_off_seconds not less"
        ));
    }
    problems
}

impl Settings {
    /// Whether anything is sent to the development sink.
    pub fn use_sink(&self) -> bool {
        let mail = self
            .email
            .in_order()
            .any(|(_, p)| matches!(p, EmailProvider::Sink {}));
        let text = self
            .sms
            .in_order()
            .any(|(_, p)| matches!(p, SmsProvider::Sink {}));
        mail || text
    }
}

impl Part for Settings {
    fn problems(&self, environment: Environment) -> Vec<String> {
        let mut problems = group("email", &self.email, environment);
        problems.extend(group("sms", &self.sms, environment));
        problems.extend(group("push", &self.push, environment));
        if environment.is_production() && self.email.order.is_empty() {
            problems.push("email.order must name a provider in production".to_owned());
        }
        problems
    }
}
