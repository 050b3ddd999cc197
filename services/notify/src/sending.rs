//! What staff send: checked, kept with a job, turned into a message.

use chrono::{DateTime, Duration, Utc};
use parlour_chassis::audit_entry;
use parlour_db::Tx;
use parlour_http::{Origin, Problems, Time};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::domain::{Channel, Priority, kinds, template};
use crate::error::Error;
use crate::rules::Rules;
use crate::state::Notify;
use crate::telling::{Message, Saying};

/// Bytes of `data` and `variables` at the most.
const LARGEST: usize = 16 * 1024;

/// What is told.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[schema(as = NotificationRequest)]
pub struct Request {
    /// Its type: small letters, digits, `_`, `.` and `-`.
    #[serde(rename = "type")]
    #[schema(min_length = 1, max_length = 64)]
    pub kind: Option<String>,
    /// The title; needed without a template.
    #[schema(min_length = 1, max_length = 200)]
    pub title: Option<String>,
    /// The text; needed without a template.
    #[schema(min_length = 1, max_length = 4000)]
    pub message: Option<String>,
    /// For the frontend.
    #[schema(value_type = Option<Object>)]
    pub data: Option<Map<String, Value>>,
    /// `low`, `normal` (the default), `high` or `emergency`.
    #[schema(value_type = Option<PriorityName>)]
    pub priority: Option<Priority>,
    /// Only on these channels: `socket`, `email`, `sms`, `push`. The list of the person has it in any case.
    #[schema(value_type = Option<Vec<ChannelName>>, min_items = 1, max_items = 4)]
    pub channels: Option<Vec<Channel>>,
    /// A person is told once under this key of yours.
    #[schema(min_length = 1, max_length = 200)]
    pub dedupe_key: Option<String>,
    /// When it loses its point.
    #[schema(value_type = Option<Time>)]
    pub expires_at: Option<DateTime<Utc>>,
    /// The type whose templates have the words.
    #[schema(min_length = 1, max_length = 64)]
    pub template: Option<String>,
    /// What the templates are filled with.
    #[schema(value_type = Option<Object>)]
    pub variables: Option<Map<String, Value>>,
}

/// The names of priorities.
#[derive(ToSchema)]
#[schema(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the names say it")]
pub enum PriorityName {
    Low,
    Normal,
    High,
    Emergency,
}

/// The names of channels.
#[derive(ToSchema)]
#[schema(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the names say it")]
pub enum ChannelName {
    Socket,
    Email,
    Sms,
    Push,
}

impl Request {
    /// Adds what is wrong with it. With `defaults` the path itself stands for type and priority.
    pub fn check(&self, problems: &mut Problems, defaults: bool) {
        match &self.kind {
            Some(kind) => problems.require(
                kinds::is_name(kind),
                "type",
                "must be small letters, digits, _ . or -",
            ),
            None => problems.require(defaults, "type", "is required"),
        }
        if self.template.is_none() {
            problems.require(self.title.is_some(), "title", "is required without a template");
            problems.require(
                self.message.is_some(),
                "message",
                "is required without a template",
            );
        }
        for (name, text) in [("title", &self.title), ("message", &self.message)] {
            let blank = text.as_ref().is_some_and(|text| text.trim().is_empty());
            problems.require(!blank, name, "must not be blank");
        }
        for (name, object) in [("data", &self.data), ("variables", &self.variables)] {
            let size = object
                .as_ref()
                .map_or(0, |o| serde_json::to_vec(o).map_or(usize::MAX, |v| v.len()));
            problems.require(size <= LARGEST, name, "must have at most 16 KiB");
        }
    }

    /// Checks what only the service knows: the time, and the template with its variables.
    pub fn check_at(&self, rules: &Rules, now: DateTime<Utc>) -> Result<(), Error> {
        if self.expires_at.is_some_and(|at| at <= now) {
            return Err(Error::field("expires_at", "must be in the future"));
        }
        let Some(name) = &self.template else {
            return Ok(());
        };
        let mut all = template::examples("");
        all.extend(self.variables.clone().unwrap_or_default());
        let mut known = false;
        let mut wrong = Vec::new();
        for words in rules.all_words(name) {
            known = true;
            for needed in template::variables_of(words).unwrap_or_default() {
                let line = format!("variables.{needed}: is required by the template");
                if !all.contains_key(&needed) && !wrong.contains(&line) {
                    wrong.push(line);
                }
            }
            if wrong.is_empty()
                && let Err(error) = template::render(words, &all)
            {
                wrong.push(format!("variables: do not fit the template's {error}"));
            }
        }
        if !known {
            wrong.push("template: there is no active template of this type".to_owned());
        }
        wrong.sort();
        if wrong.is_empty() {
            Ok(())
        } else {
            Err(Error::Fields(wrong))
        }
    }

    /// The priority that counts.
    pub fn priority(&self) -> Priority {
        self.priority.unwrap_or(Priority::Normal)
    }

    /// The message, caused by `source` and sent at `sent`. An emergency does not last for ever.
    pub fn message(
        &self,
        source: Uuid,
        sender: Option<Uuid>,
        notify: &Notify,
        sent: DateTime<Utc>,
    ) -> Message {
        let priority = self.priority();
        let lasts = Duration::minutes(notify.settings.emergency.expire_minutes.into());
        let ends = (priority == Priority::Emergency).then_some(sent + lasts);
        let saying = match &self.template {
            Some(name) => Saying::Template {
                name: name.clone(),
                variables: self.variables.clone().unwrap_or_default(),
                times: Vec::new(),
            },
            None => Saying::Plain {
                title: self.title.clone().unwrap_or_default(),
                message: self.message.clone().unwrap_or_default(),
            },
        };
        Message {
            kind: self.kind.clone().unwrap_or_else(|| priority.name().to_owned()),
            priority,
            required: false,
            source: self.source(notify, sender).unwrap_or(source),
            sender,
            channels: self.channels.clone(),
            expires_at: self.expires_at.or(ends),
            saying,
            data: self.data.clone().unwrap_or_default(),
            job: None,
        }
    }

    /// The cause that a sender's key stands for.
    pub fn source(&self, notify: &Notify, sender: Option<Uuid>) -> Option<Uuid> {
        let key = self.dedupe_key.as_deref()?;
        let sender = sender.unwrap_or_default();
        let index = notify
            .vault
            .blind_index("notify.dedupe", &format!("{sender}/{key}"));
        let bytes = index.first_chunk::<16>()?;
        Some(uuid::Builder::from_custom_bytes(*bytes).into_uuid())
    }
}

impl Notify {
    /// Writes a line of the audit log; `after` holds nothing personal.
    pub async fn audit(
        &self,
        tx: &mut Tx,
        origin: &Origin,
        action: &str,
        target: (&str, String),
        after: Option<Value>,
    ) -> Result<(), Error> {
        let entry = audit_entry(origin, action, target, (None, after));
        parlour_events::audit(tx, entry).await?;
        Ok(())
    }
}
