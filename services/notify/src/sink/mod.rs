//! The development sink: takes what would have been sent, keeps the
//! last of them in memory, appends all of them to the outbox files, and shows them on a
//! page. Production refuses it.
//!
//! It stands where a provider stands: mails reach it by SMTP, texts by Twilio's Messages
//! API, both on loopback, so that the code that sends is the code of production. Only
//! towards the sink is a message followed by what it was made from: in the header
//! `X-Parlour-Data` of a mail, in the form field `ParlourData` of a text.
//!
//! For push messages it is a browser and its push service: `POST /push/subscriptions`
//! subscribes, and what is sent to the subscription lands here, decrypted.

mod http;
mod outbox;
mod page;
mod push;
mod smtp;
mod twilio;

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use parlour_config::Environment;
use secrecy::SecretString;
use serde::Deserialize;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

pub use self::outbox::{Entry, Medium, Outbox};
pub use self::page::routes;
use crate::channels::settings::{Security, SmtpSettings, TwilioSettings};

/// `[notify.sink]`; `config.toml` of the channels says what each value means.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "config.toml documents them")]
pub struct Settings {
    pub smtp_listen: SocketAddr,
    pub http_listen: SocketAddr,
    pub keep: usize,
    pub mail_bytes: usize,
    #[serde(default)]
    pub status_callback: Option<String>,
}

/// A running sink. It ends with the token that it was started with.
pub struct Sink {
    outbox: Arc<Outbox>,
    smtp: SocketAddr,
    http: SocketAddr,
    token: SecretString,
    status_callback: Option<String>,
}

impl Sink {
    /// Starts it; done when it listens. `folder` is where `mail.jsonl`, `sms.jsonl` and `push.jsonl` grow.
    pub async fn start(
        settings: &Settings,
        environment: Environment,
        folder: &Path,
        stop: CancellationToken,
    ) -> anyhow::Result<Self> {
        if environment.is_production() {
            anyhow::bail!("the development sink is not for production: configure real providers for notify");
        }
        for listen in [settings.smtp_listen, settings.http_listen] {
            if !listen.ip().is_loopback() {
                anyhow::bail!("the development sink listens on loopback only, not on {listen}");
            }
        }
        let outbox = Outbox::open(folder, settings.keep)
            .await
            .map_err(|error| anyhow::anyhow!("the outbox's files in {}: {error}", folder.display()))?;
        let outbox = Arc::new(outbox);
        let listener = TcpListener::bind(settings.smtp_listen)
            .await
            .map_err(|error| anyhow::anyhow!("notify.sink.smtp_listen {}: {error}", settings.smtp_listen))?;
        let smtp = listener.local_addr()?;
        let http = http::start(settings.http_listen, outbox.clone(), stop.clone())?;
        tokio::spawn(smtp::serve(listener, outbox.clone(), settings.mail_bytes, stop));
        tracing::info!(%smtp, page = format!("http://{http}/dev/outbox"), "development sink");
        Ok(Self {
            outbox,
            smtp,
            http,
            token: token()?,
            status_callback: settings.status_callback.clone(),
        })
    }

    /// What was sent.
    pub fn outbox(&self) -> &Arc<Outbox> {
        &self.outbox
    }

    /// Where it takes mails.
    pub fn smtp_address(&self) -> SocketAddr {
        self.smtp
    }

    /// Where it takes texts and shows the page.
    pub fn http_address(&self) -> SocketAddr {
        self.http
    }

    /// How mails are sent to it.
    pub fn smtp_settings(&self) -> SmtpSettings {
        SmtpSettings {
            host: self.smtp.ip().to_string(),
            port: Some(self.smtp.port()),
            security: Security::Plain,
            username: String::new(),
            password: SecretString::default(),
            from: "Parlour <parlour@localhost>".to_owned(),
            reply_to: None,
            hello_name: None,
            ca_path: None,
            connections: 4,
            timeout_seconds: 10,
        }
    }

    /// How texts are sent to it.
    pub fn twilio_settings(&self) -> TwilioSettings {
        TwilioSettings {
            base_url: format!("http://{}", self.http),
            account_sid: "AC00000000000000000000000000000000".to_owned(),
            auth_token: self.token.clone(),
            api_key_sid: String::new(),
            api_key_secret: SecretString::default(),
            // Twilio's own test sender.
            from: "+15005550006".to_owned(),
            messaging_service_sid: String::new(),
            status_callback: self.status_callback.clone(),
            timeout_seconds: 10,
        }
    }
}

/// The account token of this sink, with which it signs its callbacks.
fn token() -> anyhow::Result<SecretString> {
    let mut bytes = [0; 24];
    aws_lc_rs::rand::fill(&mut bytes).map_err(|_| anyhow::anyhow!("no random numbers"))?;
    Ok(URL_SAFE_NO_PAD.encode(bytes).into())
}
