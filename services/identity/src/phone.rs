//! Phone numbers, proved by a code: through Twilio Verify v2, or in development
//! through an embedded verifier that puts the code into the SMS outbox.

use std::path::PathBuf;
use std::time::Duration;

use chrono::{DateTime, Utc};
use parlour_chassis::Context;
use phonenumber::Mode;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use tokio::io::AsyncWriteExt as _;

use crate::error::Error;
use crate::settings::Twilio;

/// How the code travels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum PhoneChannel {
    /// A text message.
    Sms,
    /// A call that reads it out.
    Call,
    /// A `WhatsApp` message.
    Whatsapp,
}

impl PhoneChannel {
    fn name(self) -> &'static str {
        match self {
            Self::Sms => "sms",
            Self::Call => "call",
            Self::Whatsapp => "whatsapp",
        }
    }
}

/// A number in E.164 and the country it belongs to, by libphonenumber's rules.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Number {
    /// Such as `+4670123456`.
    pub e164: String,
    /// ISO 3166-1 alpha-2; empty for numbers of no country.
    pub country: String,
}

/// Reads a number in international form. `None` when there can be no such number.
pub fn parse(text: &str) -> Option<Number> {
    let text = text.trim();
    let digits = text.strip_prefix('+')?;
    // Neither letters nor extensions: nobody can be reached at those.
    let fine = |c: char| c.is_ascii_digit() || " ()-./".contains(c);
    if digits.len() > 31 || !digits.chars().all(fine) {
        return None;
    }
    let number = phonenumber::parse(None, text).ok()?;
    if !number.is_valid() {
        return None;
    }
    Some(Number {
        e164: number.format().mode(Mode::E164).to_string(),
        country: number
            .country()
            .id()
            .map(|id| id.as_ref().to_owned())
            .unwrap_or_default(),
    })
}

/// Who sends and checks codes.
pub enum PhoneVerifier {
    /// Twilio Verify.
    Twilio(TwilioVerify),
    /// This process, in development.
    Embedded(SmsOutbox),
}

/// The development outbox: one JSON object a line for every message that would have been sent.
pub struct SmsOutbox(PathBuf);

impl SmsOutbox {
    /// Appends a message.
    pub async fn send(
        &self,
        e164: &str,
        code: &str,
        channel: PhoneChannel,
        at: DateTime<Utc>,
    ) -> Result<(), Error> {
        let line = serde_json::json!({
            "to": e164,
            "subject": null,
            "text": format!("Your code is {code}."),
            "data": { "code": code, "channel": channel.name(), "template": "phone_verification" },
            "at": parlour_http::Time::from(at),
        });
        let opened = tokio::fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(&self.0)
            .await;
        let file = opened.map_err(|error| Error::Internal(error.to_string()))?;
        append(file, format!("{line}\n")).await
    }
}

async fn append(mut file: tokio::fs::File, line: String) -> Result<(), Error> {
    let written = file.write_all(line.as_bytes()).await;
    written.map_err(|error| Error::Internal(error.to_string()))?;
    file.flush()
        .await
        .map_err(|error| Error::Internal(error.to_string()))
}

/// A Twilio Verify service.
pub struct TwilioVerify {
    client: reqwest::Client,
    base: String,
    account_sid: String,
    auth_token: SecretString,
}

impl PhoneVerifier {
    /// Twilio where it is configured, else the embedded verifier.
    pub fn new(twilio: &Twilio, context: &Context) -> anyhow::Result<Self> {
        if !twilio.is_configured() {
            return Ok(Self::Embedded(SmsOutbox(context.outbox()?.join("sms.jsonl"))));
        }
        let client = reqwest::Client::builder()
            .timeout(Duration::from_secs(10))
            .build()?;
        let base = twilio.base_url.trim_end_matches('/');
        Ok(Self::Twilio(TwilioVerify {
            client,
            base: format!("{base}/v2/Services/{}", twilio.service_sid),
            account_sid: twilio.account_sid.clone(),
            auth_token: twilio.auth_token.clone(),
        }))
    }
}

impl TwilioVerify {
    /// Asks Twilio to send a code.
    pub async fn start(&self, e164: &str, channel: PhoneChannel) -> Result<(), Error> {
        let form = [("To", e164), ("Channel", channel.name())];
        self.post("Verifications", &form).await.map(drop)
    }

    /// Asks Twilio whether `code` is the one.
    pub async fn check(&self, e164: &str, code: &str) -> Result<bool, Error> {
        let form = [("To", e164), ("Code", code)];
        let answer = self.post("VerificationCheck", &form).await?;
        Ok(answer.status == "approved")
    }

    async fn post(&self, what: &str, form: &[(&str, &str)]) -> Result<Verification, Error> {
        let answer = self
            .client
            .post(format!("{}/{what}", self.base))
            .basic_auth(&self.account_sid, Some(self.auth_token.expose_secret()))
            .form(form)
            .send()
            .await
            .map_err(|error| away(&error))?;
        match answer.status().as_u16() {
            200..=299 => answer.json().await.map_err(|error| away(&error)),
            // Twilio forgets a verification that was approved, expired or cancelled.
            404 => Err(Error::InvalidToken),
            400 => Err(Error::Field("phone_number", "cannot be reached on this channel")),
            429 => Err(Error::Locked(Duration::from_mins(1))),
            status => {
                tracing::warn!(status, "Twilio Verify refused");
                Err(parlour_http::ApiError::unavailable().into())
            }
        }
    }
}

#[derive(Deserialize)]
struct Verification {
    status: String,
}

fn away(error: &reqwest::Error) -> Error {
    // The URL holds nothing secret, but the error's form body would.
    tracing::warn!(
        timeout = error.is_timeout(),
        connect = error.is_connect(),
        "Twilio Verify does not answer"
    );
    parlour_http::ApiError::unavailable().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_by_libphonenumber() {
        let number = parse("+46 70 174 06 05").unwrap();
        assert_eq!(
            (number.e164.as_str(), number.country.as_str()),
            ("+46701740605", "SE")
        );
        for wrong in [
            "",
            "0701740605",
            "+46",
            "+999999999999",
            "+1 555",
            "+46 70 174 06 05 x",
            "abc",
        ] {
            assert_eq!(parse(wrong), None, "{wrong:?}");
        }
    }
}
