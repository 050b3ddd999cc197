//! E-mail by SMTP.

pub(crate) mod mail;
mod reply;
mod session;

use std::time::Duration;

use lettre::Address as MailAddress;
use lettre::message::Mailbox;
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Certificate, CertificateStore, TlsParameters};
use lettre::transport::smtp::extension::ClientId;
use secrecy::ExposeSecret as _;
use tokio::sync::{Semaphore, SemaphorePermit};

use self::mail::Sender;
use self::session::{Enveloped, Handshake, Idle, Server};
use super::attempt::Failure;
use super::settings::{Security, SmtpSettings};
use super::{Class, Outgoing};

/// One SMTP server, with its connections.
pub(super) struct Smtp {
    sender: Sender,
    server: Server,
    idle: Idle,
    places: Semaphore,
    tells_data: bool,
}

impl Smtp {
    pub(super) fn new(settings: &SmtpSettings) -> anyhow::Result<Self> {
        let from: Mailbox = settings.from.parse()?;
        let reply_to = settings.reply_to.as_deref().map(str::parse).transpose()?;
        let handshake = match settings.security {
            Security::Plain => None,
            Security::Tls => Some(Handshake::AtOnce),
            Security::Starttls => Some(Handshake::Starttls),
        };
        let tls = match handshake {
            Some(handshake) => Some((handshake, tls(settings)?)),
            None => None,
        };
        let hello = settings.hello_name.as_deref().unwrap_or(from.email.domain());
        let password = settings.password.expose_secret().to_owned();
        let credentials =
            (!settings.username.is_empty()).then(|| Credentials::new(settings.username.clone(), password));
        Ok(Self {
            server: Server {
                host: settings.host.clone(),
                port: settings.port(),
                hello: ClientId::Domain(hello.to_owned()),
                tls,
                credentials,
                timeout: Duration::from_secs(settings.timeout_seconds),
            },
            sender: Sender { from, reply_to },
            idle: Idle::default(),
            places: Semaphore::new(settings.connections),
            tells_data: false,
        })
    }

    /// The same for the development sink, which is also told what a mail was made from.
    pub(super) fn to_sink(settings: &SmtpSettings) -> anyhow::Result<Self> {
        Ok(Self {
            tells_data: true,
            ..Self::new(settings)?
        })
    }

    /// Waits for a place among those who speak to the server.
    pub(super) async fn place(&self) -> Option<SemaphorePermit<'_>> {
        self.places.acquire().await.ok()
    }

    /// Sends one mail, by whoever holds a place. The answer is how the server calls it, if
    /// it says so.
    pub(super) async fn send(&self, message: &Outgoing, to: &str) -> Result<Option<String>, Failure> {
        let refuse = |class, why: String| Failure::of_message(class, why).discreet(to);
        let address: MailAddress = to
            .parse()
            .map_err(|_| refuse(Class::BadAddress, "not an e-mail address".to_owned()))?;
        let data = self.tells_data.then_some(&message.data);
        let mail = self
            .sender
            .write(message, address.clone(), data)
            .map_err(|error| refuse(Class::Permanent, error.to_string()))?
            .formatted();
        let text = String::from_utf8(mail).map_err(|error| refuse(Class::Permanent, error.to_string()))?;
        let mail = Enveloped {
            from: &self.sender.from.email,
            to: &address,
            text: &text,
        };
        let sending = session::hand_over(&self.server, &self.idle, &mail);
        match tokio::time::timeout(self.server.timeout, sending).await {
            Ok(Ok(response)) => Ok(queued_as(&response.message().collect::<Vec<_>>().join(" "))),
            Ok(Err(failure)) => Err(failure.discreet(to)),
            Err(_) => Err(Failure::timed_out()),
        }
    }
}

fn tls(settings: &SmtpSettings) -> anyhow::Result<TlsParameters> {
    let mut tls = TlsParameters::builder(settings.host.clone());
    if let Some(path) = &settings.ca_path {
        let pem =
            std::fs::read(path).map_err(|error| anyhow::anyhow!("ca_path {}: {error}", path.display()))?;
        tls = tls
            .certificate_store(CertificateStore::None)
            .add_root_certificate(Certificate::from_pem(&pem)?);
    }
    Ok(tls.build()?)
}

/// `250 2.0.0 Ok: queued as 4ABC` names the message `4ABC`, as Postfix, Amazon's and
/// others' servers do in their own ways: the last word that could be an id.
fn queued_as(text: &str) -> Option<String> {
    let word = text.split_whitespace().next_back()?;
    let id = word.trim_matches(|c: char| !c.is_ascii_alphanumeric());
    let could_be = id.len() >= 6 && id.len() <= 128 && id.contains(|c: char| c.is_ascii_digit());
    could_be.then(|| id.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn servers_name_a_message_in_their_last_word() {
        for (text, id) in [
            ("2.0.0 Ok: queued as 4F2D9180A", Some("4F2D9180A")),
            ("Ok 0100017a-000000", Some("0100017a-000000")),
            ("2.0.0 OK <1b2c3d4@mx>", Some("1b2c3d4@mx")),
            ("2.0.0 Ok", None),
            ("", None),
        ] {
            assert_eq!(queued_as(text).as_deref(), id);
        }
    }
}
