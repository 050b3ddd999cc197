//! `[identity]`

use parlour_auth::IssuerSettings;
use parlour_config::{Environment, Part};
use parlour_contracts::Role;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

/// The service's configuration; `config.default.toml` says what each value means.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "config.default.toml documents them")]
pub struct Settings {
    pub hide_accounts: bool,
    pub require_verified_email: bool,
    pub two_factor_roles: Vec<Role>,
    pub verify_url: String,
    pub reset_url: String,
    pub refresh_days: i64,
    pub signing_key_days: i64,
    pub concurrent_hashes: usize,
    pub issuers: Vec<IssuerSettings>,
    pub twilio: Twilio,
}

/// Twilio Verify v2.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "config.default.toml documents them")]
pub struct Twilio {
    pub base_url: String,
    pub account_sid: String,
    pub auth_token: SecretString,
    pub service_sid: String,
}

impl Twilio {
    /// Whether there is an account to use.
    pub fn is_configured(&self) -> bool {
        !self.account_sid.is_empty()
            && !self.auth_token.expose_secret().is_empty()
            && !self.service_sid.is_empty()
    }
}

impl Part for Settings {
    fn problems(&self, environment: Environment) -> Vec<String> {
        let mut problems = Vec::new();
        for (name, url) in [("verify_url", &self.verify_url), ("reset_url", &self.reset_url)] {
            if !url.contains("{token}") {
                problems.push(format!("{name} must contain {{token}}"));
            }
            if environment.is_production() && !url.starts_with("https://") {
                problems.push(format!("{name} must begin with https:// in production"));
            }
        }
        if environment.is_production() && !self.twilio.is_configured() {
            problems.push(
                "twilio needs account_sid, auth_token and service_sid in production: the embedded \
                 verifier is for development"
                    .to_owned(),
            );
        }
        if self.refresh_days < 1 {
            problems.push("refresh_days must be at least 1".to_owned());
        }
        problems
    }
}
