//! Push messages to apps by Firebase Cloud Messaging, HTTP v1.

mod body;
mod token;

use std::time::Duration;

use chrono::{DateTime, Utc};
use reqwest::Client;
use secrecy::ExposeSecret as _;
use serde::Deserialize;

use self::token::{ServiceAccount, Tokens};
use super::attempt::Failure;
use super::client::{self, Answer, Peers};
use super::settings::FcmSettings;
use super::{Class, Outgoing};

/// One project.
pub(super) struct Fcm {
    client: Client,
    url: String,
    tokens: Tokens,
    longest_ttl: u64,
}

/// What FCM answers.
#[derive(Debug, Deserialize)]
struct Sent {
    name: String,
}

/// What FCM answers when it refuses.
#[derive(Debug, Default, Deserialize)]
struct Refusal {
    error: Error,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Error {
    message: String,
    status: String,
    details: Vec<Detail>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Detail {
    #[serde(rename = "errorCode")]
    error_code: String,
    #[serde(rename = "fieldViolations")]
    field_violations: Vec<Violation>,
    violations: Vec<Violation>,
}

/// Of a field that is wrong, or of a quota that is used up by a subject.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Violation {
    field: String,
    subject: String,
}

impl Error {
    /// Whether a violation names this field, or this kind of subject.
    fn blames(&self, what: &str) -> bool {
        self.details
            .iter()
            .flat_map(|detail| detail.field_violations.iter().chain(&detail.violations))
            .any(|violation| violation.field == what || violation.subject.split(':').next() == Some(what))
    }

    /// Whether the registration token is what is wrong. Not every such answer has a violation.
    fn blames_token(&self) -> bool {
        self.blames("message.token") || self.message.contains("registration token")
    }
}

impl Fcm {
    pub(super) fn new(settings: &FcmSettings) -> anyhow::Result<Self> {
        let account = match &settings.service_account_path {
            Some(path) => std::fs::read_to_string(path)
                .map_err(|error| anyhow::anyhow!("service_account_path {}: {error}", path.display()))?,
            None => settings.service_account.expose_secret().to_owned(),
        };
        let account = ServiceAccount::read(&account, settings.token_url.as_deref())?;
        let client = client::client(Duration::from_secs(settings.timeout_seconds), Peers::Configured)?;
        let base = settings.base_url.trim_end_matches('/');
        Ok(Self {
            url: format!("{base}/v1/projects/{}/messages:send", account.project_id),
            tokens: Tokens::new(client.clone(), account),
            client,
            longest_ttl: settings.longest_ttl_seconds,
        })
    }

    /// Sends one message. The answer is FCM's name of it.
    pub(super) async fn send(
        &self,
        message: &Outgoing,
        device: &str,
        now: DateTime<Utc>,
    ) -> Result<Option<String>, Failure> {
        let token = self.tokens.get(now).await?;
        let request = self
            .client
            .post(&self.url)
            .bearer_auth(token.expose_secret())
            .json(&body::of(message, device, now, self.longest_ttl));
        let answer = client::ask(request).await?;
        if answer.status.is_success() {
            return Ok(answer.json().map(|sent: Sent| sent.name));
        }
        let failure = refusal(&answer, now);
        if answer.status.as_u16() == 401 && failure.unwell {
            self.tokens.forget(&token).await;
        }
        Err(failure.discreet(device))
    }
}

/// By FCM's own code where it gives one, else by the HTTP status.
fn refusal(answer: &Answer, now: DateTime<Utc>) -> Failure {
    let Refusal { error } = answer.json().unwrap_or_default();
    let code = error.details.iter().map(|detail| detail.error_code.as_str());
    let code = code.into_iter().find(|code| !code.is_empty()).unwrap_or_default();
    let name = if code.is_empty() { &error.status } else { code };
    let words = format!("HTTP {} {name} {}", answer.status.as_u16(), error.message);
    match code {
        "UNREGISTERED" | "SENDER_ID_MISMATCH" => Failure::of_message(Class::BadAddress, words),
        "INVALID_ARGUMENT" if error.blames_token() => Failure::of_message(Class::BadAddress, words),
        // The second: Apple's side of the project is not set up. Other devices are fine.
        "INVALID_ARGUMENT" | "THIRD_PARTY_AUTH_ERROR" => Failure::of_message(Class::Permanent, words),
        // One device that is sent too much says nothing about the others.
        "QUOTA_EXCEEDED" if error.blames("device") => {
            Failure::of_message(Class::Throttled, words).after(answer.retry_after(now))
        }
        "QUOTA_EXCEEDED" => Failure::of_provider(Class::Throttled, words).after(answer.retry_after(now)),
        "UNAVAILABLE" | "INTERNAL" => {
            Failure::of_provider(Class::Transient, words).after(answer.retry_after(now))
        }
        // The project or its API is not there: nothing that another message would change.
        _ if answer.status.as_u16() == 404 => Failure::of_provider(Class::Transient, words),
        _ => answer.failure(words, now),
    }
}
