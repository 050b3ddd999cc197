//! Text messages by Twilio's Messages API.

mod refusal;
mod signature;
mod status;

use std::time::Duration;

use chrono::{DateTime, Utc};
use reqwest::Client;
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use url::Url;

pub use self::signature::{sign, verify_signature};
pub use self::status::{MessageStatus, StatusReport};
use super::attempt::Failure;
use super::client::{self, Peers};
use super::settings::TwilioSettings;
use super::{Class, Outgoing};

/// The form field that tells the development sink what a message was made from.
pub(crate) const DATA_FIELD: &str = "ParlourData";

/// The longest and shortest `ValidityPeriod` that Twilio takes, in seconds.
const VALIDITY: std::ops::RangeInclusive<i64> = 1..=36_000;

/// One account.
pub(super) struct Twilio {
    client: Client,
    messages: String,
    user: String,
    password: SecretString,
    auth_token: SecretString,
    sender: (&'static str, String),
    status_callback: Option<Url>,
    tells_data: bool,
}

/// What Twilio answers, whether it took the message or not.
#[derive(Debug, Deserialize)]
struct Said {
    sid: Option<String>,
    code: Option<u32>,
    message: Option<String>,
}

impl Twilio {
    pub(super) fn new(settings: &TwilioSettings) -> anyhow::Result<Self> {
        let base = settings.base_url.trim_end_matches('/');
        let (user, password) = if settings.api_key_sid.is_empty() {
            (&settings.account_sid, &settings.auth_token)
        } else {
            (&settings.api_key_sid, &settings.api_key_secret)
        };
        let sender = if settings.from.is_empty() {
            ("MessagingServiceSid", settings.messaging_service_sid.clone())
        } else {
            ("From", settings.from.clone())
        };
        Ok(Self {
            client: client::client(Duration::from_secs(settings.timeout_seconds), Peers::Configured)?,
            messages: format!(
                "{base}/2010-04-01/Accounts/{}/Messages.json",
                settings.account_sid
            ),
            user: user.clone(),
            password: password.clone(),
            auth_token: settings.auth_token.clone(),
            sender,
            status_callback: settings.status_callback.as_deref().map(Url::parse).transpose()?,
            tells_data: false,
        })
    }

    /// The same for the development sink, which is also told what a message was made from.
    pub(super) fn to_sink(settings: &TwilioSettings) -> anyhow::Result<Self> {
        Ok(Self {
            tells_data: true,
            ..Self::new(settings)?
        })
    }

    /// Sends one message. The answer is Twilio's id of it.
    pub(super) async fn send(
        &self,
        message: &Outgoing,
        to: &str,
        now: DateTime<Utc>,
    ) -> Result<Option<String>, Failure> {
        let request = self
            .client
            .post(&self.messages)
            .basic_auth(&self.user, Some(self.password.expose_secret()))
            .form(&self.form(message, to, now));
        let answer = client::ask(request).await?;
        let said: Option<Said> = answer.json();
        if answer.status.is_success() {
            return Ok(said.and_then(|said| said.sid));
        }
        let (code, words) = said.map_or((None, None), |said| (said.code, said.message));
        let words = match (code, words) {
            (Some(code), Some(words)) => format!("{code}: {words}"),
            _ => format!("HTTP {}", answer.status.as_u16()),
        };
        let failure = match code.and_then(refusal::class) {
            Some(Class::Throttled) => {
                Failure::of_provider(Class::Throttled, words).after(answer.retry_after(now))
            }
            Some(class) => Failure::of_message(class, words),
            None => answer.failure(words, now),
        };
        Err(failure.discreet(to))
    }

    fn form(&self, message: &Outgoing, to: &str, now: DateTime<Utc>) -> Vec<(&'static str, String)> {
        let mut form = vec![
            ("To", to.to_owned()),
            (self.sender.0, self.sender.1.clone()),
            ("Body", message.content.text.clone()),
        ];
        if let Some(url) = &self.status_callback {
            form.push(("StatusCallback", callback(url, message)));
        }
        // Twilio drops what it could not hand on by then.
        if let Some(left) = message
            .expires_at
            .map(|expires_at| (expires_at - now).num_seconds())
        {
            let left = left.clamp(*VALIDITY.start(), *VALIDITY.end());
            form.push(("ValidityPeriod", left.to_string()));
        }
        if self.tells_data {
            form.push((DATA_FIELD, message.data.to_string()));
        }
        form
    }

    /// The report in a status callback, if this account's Twilio signed it. `query` is the
    /// request's query string as it came; the rest of the URL is the configured one,
    /// because proxies on the way may have changed it.
    pub(super) fn read_status(
        &self,
        query: &str,
        params: &[(String, String)],
        signature: &str,
    ) -> Option<StatusReport> {
        let mut url = self.status_callback.clone()?;
        url.set_query((!query.is_empty()).then_some(query));
        if verify_signature(&self.auth_token, url.as_str(), params, signature) {
            StatusReport::read(&url, params)
        } else {
            None
        }
    }
}

/// The configured URL with the delivery's id.
fn callback(url: &Url, message: &Outgoing) -> String {
    let mut url = url.clone();
    url.query_pairs_mut()
        .append_pair(status::DELIVERY, &message.delivery_id.to_string());
    url.into()
}
