//! The settings of providers that are asked over HTTP.

use std::path::PathBuf;

use parlour_config::Environment;
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use url::Url;

use super::Problems;

/// An account of Twilio's.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "config.toml documents them")]
pub struct TwilioSettings {
    #[serde(default = "twilio")]
    pub base_url: String,
    pub account_sid: String,
    pub auth_token: SecretString,
    #[serde(default)]
    pub api_key_sid: String,
    #[serde(default)]
    pub api_key_secret: SecretString,
    #[serde(default)]
    pub from: String,
    #[serde(default)]
    pub messaging_service_sid: String,
    #[serde(default)]
    pub status_callback: Option<String>,
    #[serde(default = "a_quarter_minute")]
    pub timeout_seconds: u64,
}

/// How browsers' push services are asked.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "config.toml documents them")]
pub struct WebPushSettings {
    #[serde(default)]
    pub private_key: SecretString,
    pub contact: String,
    #[serde(default)]
    pub private_endpoints: bool,
    #[serde(default = "four_weeks")]
    pub longest_ttl_seconds: u64,
    #[serde(default = "a_quarter_minute")]
    pub timeout_seconds: u64,
}

/// A project of Firebase's.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "config.toml documents them")]
pub struct FcmSettings {
    #[serde(default = "fcm")]
    pub base_url: String,
    #[serde(default)]
    pub token_url: Option<String>,
    #[serde(default)]
    pub service_account: SecretString,
    #[serde(default)]
    pub service_account_path: Option<PathBuf>,
    #[serde(default = "four_weeks")]
    pub longest_ttl_seconds: u64,
    #[serde(default = "a_quarter_minute")]
    pub timeout_seconds: u64,
}

fn twilio() -> String {
    "https://api.twilio.com".to_owned()
}

fn fcm() -> String {
    "https://fcm.googleapis.com".to_owned()
}

fn a_quarter_minute() -> u64 {
    15
}

/// The longest time that FCM keeps a message, and most push services.
fn four_weeks() -> u64 {
    28 * 24 * 3600
}

/// Says so when `url` cannot be asked: not a URL, or not by TLS in production.
fn wrong_url(key: &str, url: &str, environment: Environment) -> Option<String> {
    let scheme = Url::parse(url).ok().map(|url| url.scheme().to_owned());
    match scheme.as_deref() {
        Some("https") => None,
        Some("http") if !environment.is_production() => None,
        _ => Some(format!("needs a {key} that begins with https://")),
    }
}

fn no_time(timeout_seconds: u64) -> Option<String> {
    (timeout_seconds == 0).then(|| "needs timeout_seconds of at least 1".to_owned())
}

impl TwilioSettings {
    fn has_sender(&self) -> bool {
        let from = &self.from;
        // An environment that reads numbers turns "+46…" into 46…; short codes have at most 8 digits.
        let lost_its_plus = from.len() > 8 && from.chars().all(|c| c.is_ascii_digit());
        !lost_its_plus && (from.is_empty() != self.messaging_service_sid.is_empty())
    }
}

impl Problems for TwilioSettings {
    fn problems(&self, environment: Environment) -> Vec<String> {
        let mut problems: Vec<String> = wrong_url("base_url", &self.base_url, environment)
            .into_iter()
            .collect();
        if self.account_sid.is_empty() || self.auth_token.expose_secret().is_empty() {
            problems.push("needs account_sid and auth_token".to_owned());
        }
        if self.api_key_sid.is_empty() != self.api_key_secret.expose_secret().is_empty() {
            problems.push("needs api_key_sid and api_key_secret both, or neither".to_owned());
        }
        if !self.has_sender() {
            problems.push("needs either from (a number with its +) or messaging_service_sid".to_owned());
        }
        if let Some(url) = &self.status_callback {
            problems.extend(wrong_url("status_callback", url, environment));
        }
        problems.extend(no_time(self.timeout_seconds));
        problems
    }
}

impl Problems for WebPushSettings {
    fn problems(&self, environment: Environment) -> Vec<String> {
        let mut problems = Vec::new();
        if !self.contact.starts_with("mailto:") && !self.contact.starts_with("https://") {
            problems.push("needs a contact that begins with mailto: or https://".to_owned());
        }
        let key = self.private_key.expose_secret();
        if key.is_empty() && environment.is_production() {
            problems.push("needs a private_key in production".to_owned());
        }
        if !key.is_empty() && crate::channels::webpush::Vapid::new(&self.private_key, &self.contact).is_err()
        {
            problems.push("has a private_key that is no P-256 key (32 bytes in base64url)".to_owned());
        }
        if self.private_endpoints && environment.is_production() {
            problems.push("must not have private_endpoints in production".to_owned());
        }
        problems.extend(no_time(self.timeout_seconds));
        problems
    }
}

impl Problems for FcmSettings {
    fn problems(&self, environment: Environment) -> Vec<String> {
        let mut problems: Vec<String> = wrong_url("base_url", &self.base_url, environment)
            .into_iter()
            .collect();
        if let Some(url) = &self.token_url {
            problems.extend(wrong_url("token_url", url, environment));
        }
        if self.service_account.expose_secret().is_empty() == self.service_account_path.is_none() {
            problems
                .push("needs either service_account (the JSON itself) or service_account_path".to_owned());
        }
        problems.extend(no_time(self.timeout_seconds));
        problems
    }
}
