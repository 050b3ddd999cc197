//! What is told to one person, and on which channels.

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use serde_json::{Map, Value};
use uuid::Uuid;

use super::{Message, Saying, new_id};
use crate::domain::decision::{Decision, Listener, Matter, Reach, decide};
use crate::domain::reason::Reason;
use crate::domain::template;
use crate::domain::wishes::Wishes;
use crate::domain::{Channel, kinds};
use crate::error::Error;
use crate::rules::{FALLBACK, Rules};
use crate::state::Notify;
use crate::store::contents::Content;
use crate::store::recipients::Recipient;
use crate::store::settings;

/// The decisions about one person.
pub(crate) struct Plan {
    pub(crate) id: Uuid,
    pub(crate) person: Recipient,
    pub(crate) content: Content,
    pub(crate) ways: Vec<Way>,
}

/// One channel and address.
pub(crate) struct Way {
    pub(crate) channel: Channel,
    pub(crate) target: Uuid,
    pub(crate) decision: Decision,
}

impl Plan {
    /// Decides and finds the words.
    pub(crate) fn make(
        notify: &Notify,
        rules: &Rules,
        message: &Message,
        person: Recipient,
        now: DateTime<Utc>,
    ) -> Result<Self, Error> {
        let wishes = wishes_of(&person)?;
        let content = content(notify, rules, message, &person, &wishes);
        let ways = ways(rules, &message.matter(), &person, &wishes, now);
        Ok(Self {
            id: new_id(),
            person,
            content,
            ways,
        })
    }

    /// The same notification once more.
    pub(crate) fn again(
        rules: &Rules,
        matter: &Matter<'_>,
        (id, content): (Uuid, Content),
        person: Recipient,
        now: DateTime<Utc>,
    ) -> Result<Self, Error> {
        let wishes = wishes_of(&person)?;
        let ways = ways(rules, matter, &person, &wishes, now);
        Ok(Self {
            id,
            person,
            content,
            ways,
        })
    }

    /// The channels that are left out from the start, with their reasons.
    pub(crate) fn skipped(&self) -> Value {
        let mut skipped = Map::new();
        for way in &self.ways {
            if let Decision::Skip(reason) = way.decision {
                skipped.insert(way.channel.name().to_owned(), Value::from(reason.name()));
            }
        }
        Value::Object(skipped)
    }
}

/// What a person wants.
pub fn wishes_of(person: &Recipient) -> Result<Wishes, Error> {
    Ok(person
        .wishes
        .clone()
        .map(settings::read)
        .transpose()?
        .unwrap_or_default())
}

fn ways(
    rules: &Rules,
    matter: &Matter<'_>,
    person: &Recipient,
    wishes: &Wishes,
    now: DateTime<Utc>,
) -> Vec<Way> {
    let zone = zone_of(person, wishes);
    let mut ways = Vec::new();
    for channel in Channel::ALL {
        let who = Listener {
            wishes,
            role_default: rules.role_default(&person.roles, matter.kind, channel),
            has_template: rules.has_template(matter.kind, channel),
            reach: reach(person, channel),
            zone,
        };
        let decision = decide(channel, matter, &who, now);
        let every_device = channel == Channel::Push && !matches!(decision, Decision::Skip(_));
        let targets: &[Uuid] = if every_device {
            &person.subscriptions
        } else {
            &[Uuid::nil()]
        };
        ways.extend(targets.iter().map(|target| Way {
            channel,
            target: *target,
            decision,
        }));
    }
    ways
}

fn zone_of(person: &Recipient, wishes: &Wishes) -> Tz {
    let of_profile = || person.time_zone.as_deref()?.parse().ok();
    wishes
        .quiet_hours
        .time_zone
        .or_else(of_profile)
        .unwrap_or(Tz::UTC)
}

fn reach(person: &Recipient, channel: Channel) -> Reach {
    let of = |has: bool, verified: bool, dead: bool| match (has, verified, dead) {
        (false, _, _) => Reach::Nowhere,
        (_, _, true) => Reach::Dead,
        (_, true, _) => Reach::Confirmed,
        (_, false, _) => Reach::Unconfirmed,
    };
    match channel {
        Channel::Socket => Reach::Confirmed,
        Channel::Email => of(person.has_email, person.email_verified, person.email_dead),
        Channel::Sms => of(person.has_phone, person.phone_verified, person.phone_dead),
        Channel::Push => of(!person.subscriptions.is_empty(), true, false),
    }
}

/// Title and text in the person's language.
fn content(
    notify: &Notify,
    rules: &Rules,
    message: &Message,
    person: &Recipient,
    wishes: &Wishes,
) -> Content {
    let wanted = wishes.locale.as_deref().unwrap_or(&person.locale);
    let (name, variables, times) = match &message.saying {
        Saying::Plain { title, message: text } => {
            return Content {
                title: title.clone(),
                message: text.clone(),
                data: message.data.clone(),
                ..Content::default()
            };
        }
        Saying::Template {
            name,
            variables,
            times,
        } => (name, variables, times),
    };
    let mut all = variables.clone();
    for (name, time) in times {
        let told = tell_time(*time, zone_of(person, wishes), wanted);
        all.insert((*name).to_owned(), Value::from(told));
    }
    all.insert("recipient".to_owned(), Value::from(person.name.clone()));
    all.insert("brand".to_owned(), Value::from(notify.settings.brand.clone()));
    let (locale, title, text) = in_app(rules, name, wanted, &all);
    Content {
        title,
        message: text,
        data: message.data.clone(),
        template: Some(name.clone()),
        variables: all,
        locale,
    }
}

/// The words of the in-app list. A template that was broken behind the service's back must not
/// keep the rest from being told: the type's name stands in for its title.
fn in_app(
    rules: &Rules,
    name: &str,
    wanted: &str,
    variables: &Map<String, Value>,
) -> (String, String, String) {
    let found = [Channel::Socket, Channel::Push, Channel::Email, Channel::Sms]
        .into_iter()
        .find_map(|channel| rules.words(name, channel, wanted));
    if let Some((locale, words)) = found {
        match template::render(words, variables) {
            Ok(words) => return (locale.to_owned(), words.subject, words.body),
            Err(error) => tracing::error!(template = name, locale, %error, "a template cannot be rendered"),
        }
    }
    (FALLBACK.to_owned(), name.replace('_', " "), String::new())
}

/// A time by somebody's clock, in digits that every language reads.
fn tell_time(time: DateTime<Utc>, zone: Tz, locale: &str) -> String {
    let local = time.with_timezone(&zone);
    let told = if locale.starts_with("en") || locale.is_empty() {
        local.format("%-d %B %Y, %H:%M")
    } else {
        local.format("%Y-%m-%d %H:%M")
    };
    format!("{told} ({})", zone.name())
}

/// Whether SafeTalk's related id of a notification is in its data, and which it is.
pub(crate) fn related(data: &Map<String, Value>) -> Option<Uuid> {
    kinds::RELATED
        .iter()
        .find_map(|key| Uuid::try_parse(data.get(*key)?.as_str()?).ok())
}

/// Why a person is told nothing at all at the moment.
pub(crate) fn gone(status: &str) -> Option<Reason> {
    match status {
        "blocked" => Some(Reason::Blocked),
        parlour_directory::DELETED => Some(Reason::Deleted),
        _ => None,
    }
}
