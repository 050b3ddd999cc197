//! The settings of an SMTP server.

use std::net::IpAddr;
use std::path::PathBuf;

use lettre::message::Mailbox;
use parlour_config::Environment;
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;

use super::Problems;

/// How the connection is protected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Security {
    /// Plain at first, then TLS by STARTTLS, or not at all.
    Starttls,
    /// TLS from the first byte.
    Tls,
    /// None.
    Plain,
}

impl Security {
    fn port(self) -> u16 {
        match self {
            Self::Starttls => 587,
            Self::Tls => 465,
            Self::Plain => 25,
        }
    }
}

/// An SMTP server to hand mail to.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "config.toml documents them")]
pub struct SmtpSettings {
    pub host: String,
    #[serde(default)]
    pub port: Option<u16>,
    #[serde(default = "starttls")]
    pub security: Security,
    #[serde(default)]
    pub username: String,
    #[serde(default)]
    pub password: SecretString,
    pub from: String,
    #[serde(default)]
    pub reply_to: Option<String>,
    #[serde(default)]
    pub hello_name: Option<String>,
    #[serde(default)]
    pub ca_path: Option<PathBuf>,
    #[serde(default = "four")]
    pub connections: usize,
    #[serde(default = "half_a_minute")]
    pub timeout_seconds: u64,
}

fn starttls() -> Security {
    Security::Starttls
}

fn four() -> usize {
    4
}

fn half_a_minute() -> u64 {
    30
}

impl SmtpSettings {
    /// The port that is used.
    pub fn port(&self) -> u16 {
        self.port.unwrap_or_else(|| self.security.port())
    }

    /// Whether the server is this machine.
    fn is_local(&self) -> bool {
        let address: Result<IpAddr, _> = self.host.parse();
        self.host == "localhost" || address.is_ok_and(|address| address.is_loopback())
    }
}

impl Problems for SmtpSettings {
    fn problems(&self, environment: Environment) -> Vec<String> {
        let mut problems = Vec::new();
        if self.host.is_empty() {
            problems.push("needs a host".to_owned());
        }
        if self.from.parse::<Mailbox>().is_err() {
            problems.push("needs a from such as \"Parlour <no-reply@example.org>\"".to_owned());
        }
        if self
            .reply_to
            .as_ref()
            .is_some_and(|to| to.parse::<Mailbox>().is_err())
        {
            problems.push("has a reply_to that is no e-mail address".to_owned());
        }
        if self.security == Security::Plain && !self.is_local() {
            if environment.is_production() {
                problems
                    .push("must not be plain in production: only a server on this machine may be".to_owned());
            } else if !self.password.expose_secret().is_empty() {
                problems.push("would send its password in the clear; use starttls or tls".to_owned());
            }
        }
        if self.connections == 0 || self.timeout_seconds == 0 {
            problems.push("needs connections and timeout_seconds of at least 1".to_owned());
        }
        problems
    }
}
