//! The kinds of provider, as one type.

use std::borrow::Cow;

use chrono::{DateTime, Utc};
use secrecy::ExposeSecret as _;
use tokio::sync::SemaphorePermit;
use url::Url;

use super::attempt::Failure;
use super::fcm::Fcm;
use super::settings::{EmailProvider, PushProvider, SmsProvider};
use super::smtp::Smtp;
use super::twilio::{StatusReport, Twilio};
use super::webpush::{Recipient, WebPush};
use super::{Address, Class, Outgoing};
use crate::sink::Sink;

/// What carries messages.
pub(super) enum Carrier {
    Smtp(Box<Smtp>),
    Twilio(Box<Twilio>),
    WebPush(Box<WebPush>),
    Fcm(Box<Fcm>),
}

impl Carrier {
    pub(super) fn email(settings: &EmailProvider, sink: Option<&Sink>) -> anyhow::Result<Self> {
        let smtp = match settings {
            EmailProvider::Smtp(settings) => Smtp::new(settings)?,
            EmailProvider::Sink {} => Smtp::to_sink(&required(sink)?.smtp_settings())?,
        };
        Ok(Self::Smtp(Box::new(smtp)))
    }

    pub(super) fn sms(settings: &SmsProvider, sink: Option<&Sink>) -> anyhow::Result<Self> {
        let twilio = match settings {
            SmsProvider::Twilio(settings) => Twilio::new(settings)?,
            SmsProvider::Sink {} => Twilio::to_sink(&required(sink)?.twilio_settings())?,
        };
        Ok(Self::Twilio(Box::new(twilio)))
    }

    pub(super) fn push(settings: &PushProvider) -> anyhow::Result<Self> {
        Ok(match settings {
            PushProvider::WebPush(settings) => Self::WebPush(Box::new(WebPush::new(settings)?)),
            PushProvider::Fcm(settings) => Self::Fcm(Box::new(Fcm::new(settings)?)),
        })
    }

    /// Whether this kind of address is its business.
    pub(super) fn reaches(&self, to: &Address) -> bool {
        matches!(
            (self, to),
            (Self::Smtp(_), Address::Email(_))
                | (Self::Twilio(_), Address::Phone(_))
                | (Self::WebPush(_), Address::WebPush { .. })
                | (Self::Fcm(_), Address::Device(_))
        )
    }

    /// Who is behind an address, as far as that differs from message to message.
    pub(super) fn peer(to: &Address) -> Cow<'static, str> {
        match to {
            Address::WebPush { endpoint, .. } => {
                let url = Url::parse(endpoint.expose_secret()).ok();
                let host = url.as_ref().and_then(Url::host_str).unwrap_or_default();
                host.to_owned().into()
            }
            _ => "".into(),
        }
    }

    /// Waits for the right to speak to the provider, where only so many may at once.
    pub(super) async fn place(&self) -> Option<SemaphorePermit<'_>> {
        match self {
            Self::Smtp(smtp) => smtp.place().await,
            _ => None,
        }
    }

    /// Sends it once. The answer is how the provider calls it.
    pub(super) async fn carry(
        &self,
        message: &Outgoing,
        now: DateTime<Utc>,
    ) -> Result<Option<String>, Failure> {
        match (self, &message.to) {
            (Self::Smtp(smtp), Address::Email(to)) => smtp.send(message, to.expose_secret()).await,
            (Self::Twilio(twilio), Address::Phone(to)) => twilio.send(message, to.expose_secret(), now).await,
            (
                Self::WebPush(web_push),
                Address::WebPush {
                    endpoint,
                    p256dh,
                    auth,
                },
            ) => {
                let to = Recipient { p256dh, auth };
                // Push services name a message by a URL with which it can be deleted, and
                // report nothing by that name: it is not kept.
                web_push
                    .send(message, endpoint.expose_secret(), &to, now)
                    .await
                    .map(|()| None)
            }
            (Self::Fcm(fcm), Address::Device(to)) => fcm.send(message, to.expose_secret(), now).await,
            _ => Err(Failure::of_message(
                Class::Permanent,
                "not an address of this channel",
            )),
        }
    }

    pub(super) fn web_push(&self) -> Option<&WebPush> {
        match self {
            Self::WebPush(web_push) => Some(web_push),
            _ => None,
        }
    }

    pub(super) fn read_status(
        &self,
        query: &str,
        params: &[(String, String)],
        signature: &str,
    ) -> Option<StatusReport> {
        match self {
            Self::Twilio(twilio) => twilio.read_status(query, params, signature),
            _ => None,
        }
    }
}

fn required(sink: Option<&Sink>) -> anyhow::Result<&Sink> {
    sink.ok_or_else(|| anyhow::anyhow!("a provider is the development sink, and there is none"))
}
