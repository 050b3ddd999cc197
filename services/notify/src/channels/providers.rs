//! All providers, and who of them carries what.

use std::time::{Duration, Instant};

use anyhow::Context as _;
use parlour_chassis::Clock;

use super::carrier::Carrier;
use super::provider::Provider;
use super::settings::{Group, Settings};
use super::twilio::StatusReport;
use super::webpush::{BadSubscription, Recipient, WebPush};
use super::{Address, Class, Outgoing, Refused, Sent};
use crate::domain::Channel;
use crate::sink::Sink;

/// Everybody who can carry a message out of the house.
pub struct Providers {
    email: Vec<Provider>,
    sms: Vec<Provider>,
    push: Vec<Provider>,
}

impl Providers {
    /// Makes them from checked settings. `sink` is there when the settings use it.
    pub fn new(settings: &Settings, sink: Option<&Sink>, clock: &Clock) -> anyhow::Result<Self> {
        Ok(Self {
            email: group(&settings.email, clock, |provider| Carrier::email(provider, sink))?,
            sms: group(&settings.sms, clock, |provider| Carrier::sms(provider, sink))?,
            push: group(&settings.push, clock, Carrier::push)?,
        })
    }

    /// Whether there is anybody to carry a message to such an address.
    pub fn reach(&self, to: &Address) -> bool {
        self.of(to).next().is_some()
    }

    /// Carries `message`: asks the providers of its channel in order until one takes it.
    ///
    /// One whose circuit is open is left out. One that fails or is overrun is followed by
    /// the next; a refusal for good ends it, because it is about the message and not about
    /// who was asked. Once a provider has taken the message nobody else is asked; one that
    /// had all of it and fell silent may have taken it, and the next is asked all the same:
    /// rather twice than never. Safe to drop at any time: the outcome is then unknown, and
    /// nothing is left half used.
    pub async fn carry(&self, message: &Outgoing) -> Result<Sent, Refused> {
        let mut refusals = Refusals::default();
        for provider in self.of(&message.to) {
            let started = Instant::now();
            let done = provider.carry(message).await;
            observe(channel(&message.to), provider.name(), &done, started.elapsed());
            match done {
                Ok(sent) => return Ok(sent),
                Err(refused) if refused.class.is_final() => return Err(refused),
                Err(refused) => refusals.add(refused),
            }
        }
        Err(refusals.sum())
    }

    /// The public key that browsers subscribe with, when there is Web Push.
    pub fn web_push_key(&self) -> Option<&str> {
        self.web_push().map(|web_push| web_push.vapid().public_key())
    }

    /// Whether a browser's subscription can be sent to, as far as that can be seen without
    /// sending; without Web Push none can.
    pub fn check_subscription(
        &self,
        endpoint: &str,
        p256dh: &[u8],
        auth: &[u8],
    ) -> Result<(), BadSubscription> {
        let web_push = self.web_push().ok_or(BadSubscription::NoWebPush)?;
        web_push.check(endpoint, &Recipient { p256dh, auth }).map(drop)
    }

    /// What a status callback of Twilio's reports: `query` is the query string of its URL
    /// as it came, `params` its form fields, `signature` its `X-Twilio-Signature`. `None`
    /// when none of the accounts in use signed it.
    pub fn read_sms_status(
        &self,
        query: &str,
        params: &[(String, String)],
        signature: &str,
    ) -> Option<StatusReport> {
        self.sms
            .iter()
            .find_map(|provider| provider.carrier().read_status(query, params, signature))
    }

    fn web_push(&self) -> Option<&WebPush> {
        self.push
            .iter()
            .find_map(|provider| provider.carrier().web_push())
    }

    fn of<'p>(&'p self, to: &'p Address) -> impl Iterator<Item = &'p Provider> {
        let all = match to {
            Address::Email(_) => &self.email,
            Address::Phone(_) => &self.sms,
            Address::WebPush { .. } | Address::Device(_) => &self.push,
        };
        all.iter().filter(|provider| provider.carrier().reaches(to))
    }
}

/// The providers of one channel, in order.
fn group<P>(
    settings: &Group<P>,
    clock: &Clock,
    carrier: impl Fn(&P) -> anyhow::Result<Carrier>,
) -> anyhow::Result<Vec<Provider>> {
    let made = settings.in_order().map(|(name, provider)| {
        let carrier = carrier(provider).with_context(|| format!("notify's provider {name}"))?;
        Ok(Provider::new(name, carrier, settings.rules(), clock))
    });
    made.collect()
}

fn channel(to: &Address) -> Channel {
    match to {
        Address::Email(_) => Channel::Email,
        Address::Phone(_) => Channel::Sms,
        Address::WebPush { .. } | Address::Device(_) => Channel::Push,
    }
}

/// What several providers said, until the last one was asked.
#[derive(Default)]
struct Refusals(Vec<Refused>);

impl Refusals {
    fn add(&mut self, refused: Refused) {
        self.0.push(refused);
    }

    /// The last one's refusal. It names a time to come again only if all did: the one who
    /// did not may be well again any moment.
    fn sum(mut self) -> Refused {
        let waits: Option<Vec<Duration>> = self.0.iter().map(|refused| refused.retry_after).collect();
        match self.0.pop() {
            Some(last) => Refused {
                retry_after: waits.and_then(|waits| waits.into_iter().min()),
                ..last
            },
            None => Refused {
                class: Class::Permanent,
                provider: String::new(),
                words: "no provider is configured for such an address".to_owned(),
                retry_after: None,
            },
        }
    }
}

fn observe(channel: Channel, provider: &str, done: &Result<Sent, Refused>, took: Duration) {
    let outcome = done
        .as_ref()
        .map_or_else(|refused| refused.class.name(), |_| "sent");
    let labels = [
        ("channel", channel.name().to_owned()),
        ("provider", provider.to_owned()),
        ("outcome", outcome.to_owned()),
    ];
    metrics::histogram!("parlour_provider_duration_seconds", &labels).record(took.as_secs_f64());
}
