//! Messages, providers and peers.

pub(crate) mod http;
pub(crate) mod node;
pub(crate) mod script;

use std::collections::BTreeMap;
use std::path::Path;

use chrono::{DateTime, TimeZone as _, Utc};
use parlour_chassis::{Clock, Hands};
use parlour_config::Environment;
use parlour_notify::channels::settings::{EmailProvider, Group, PushProvider, SmsProvider, SmtpSettings};
use parlour_notify::channels::{Address, Content, Outgoing, Providers, Settings};
use parlour_notify::domain::Priority;
use parlour_notify::sink::{self, Sink};
use serde_json::json;
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

/// A sink of a test's own, gone with it.
pub(crate) struct OwnSink {
    pub(crate) sink: Sink,
    pub(crate) folder: TempDir,
    stop: CancellationToken,
}

impl Drop for OwnSink {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

/// The settings of a sink on free ports.
pub(crate) fn sink_settings() -> sink::Settings {
    sink::Settings {
        smtp_listen: "127.0.0.1:0".parse().unwrap(),
        http_listen: "127.0.0.1:0".parse().unwrap(),
        keep: 2000,
        mail_bytes: 100_000,
        status_callback: None,
    }
}

impl OwnSink {
    pub(crate) async fn start() -> Self {
        Self::of(sink_settings()).await
    }

    pub(crate) async fn of(settings: sink::Settings) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let stop = CancellationToken::new();
        let sink = Sink::start(&settings, Environment::Development, folder.path(), stop.clone())
            .await
            .unwrap();
        Self { sink, folder, stop }
    }

    /// The lines of one of its files.
    pub(crate) fn lines(&self, name: &str) -> Vec<serde_json::Value> {
        lines(&self.folder.path().join(name))
    }
}

fn lines(file: &Path) -> Vec<serde_json::Value> {
    let text = std::fs::read_to_string(file).unwrap_or_default();
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

/// A channel with these providers, asked in this order.
pub(crate) fn group<P>(providers: impl IntoIterator<Item = (&'static str, P)>) -> Group<P> {
    let providers: Vec<(&str, P)> = providers.into_iter().collect();
    Group {
        order: providers.iter().map(|(name, _)| (*name).to_owned()).collect(),
        providers: providers
            .into_iter()
            .map(|(name, provider)| (name.to_owned(), provider))
            .collect::<BTreeMap<_, _>>(),
        break_after: 3,
        back_off_seconds: 30,
        longest_back_off_seconds: 900,
    }
}

/// Settings without a provider.
pub(crate) fn nobody() -> Settings {
    Settings {
        email: group::<EmailProvider>([]),
        sms: group::<SmsProvider>([]),
        push: group::<PushProvider>([]),
        sink: sink_settings(),
    }
}

/// These e-mail providers and no others, by a clock that stands.
pub(crate) fn mailing(
    providers: impl IntoIterator<Item = (&'static str, EmailProvider)>,
    sink: Option<&Sink>,
) -> (Providers, Hands) {
    let (clock, hands) = Clock::manual(now());
    let settings = Settings {
        email: group(providers),
        ..nobody()
    };
    (Providers::new(&settings, sink, &clock).unwrap(), hands)
}

/// A plain SMTP server on this machine.
pub(crate) fn smtp(port: u16) -> SmtpSettings {
    serde_json::from_value(json!({
        "host": "127.0.0.1", "port": port, "security": "plain",
        "from": "Parlour <no-reply@parlour.example>", "timeout_seconds": 5,
    }))
    .unwrap()
}

/// The time in tests.
pub(crate) fn now() -> DateTime<Utc> {
    Utc.with_ymd_and_hms(2026, 3, 1, 12, 0, 0).unwrap()
}

/// A message to `to`.
pub(crate) fn message(to: Address) -> Outgoing {
    Outgoing {
        delivery_id: Uuid::now_v7(),
        notification_id: Uuid::now_v7(),
        kind: "order_delivered".to_owned(),
        priority: Priority::Normal,
        expires_at: None,
        to,
        content: Content {
            subject: "Your reading is ready".to_owned(),
            text: "Read it here: https://parlour.example/orders/1".to_owned(),
            ..Content::default()
        },
        data: json!({ "order_id": "1" }),
    }
}

/// A message to an e-mail address.
pub(crate) fn mail(to: &str) -> Outgoing {
    message(Address::Email(to.into()))
}

/// A message to a phone.
pub(crate) fn text(to: &str) -> Outgoing {
    message(Address::Phone(to.into()))
}
