//! Conversations with one server: opened, used for many mails, kept or thrown away.
//!
//! lettre speaks the protocol; the pool is ours, because a mail that is cut off in the
//! middle of its `DATA` must take its connection with it: whatever was sent next on it
//! would become part of that mail.

use std::error::Error as _;
use std::fmt;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use lettre::Address;
use lettre::transport::smtp::Error;
use lettre::transport::smtp::authentication::{Credentials, Mechanism};
use lettre::transport::smtp::client::{AsyncSmtpConnection, TlsParameters};
use lettre::transport::smtp::commands::{Data, Mail, Rcpt, Rset};
use lettre::transport::smtp::extension::{ClientId, Extension, MailBodyParameter, MailParameter};
use lettre::transport::smtp::response::Response;

use super::reply::{self, Stage};
use crate::channels::Class;
use crate::channels::attempt::Failure;

/// A connection that has not been used for longer is not trusted: servers hang up on idlers.
const IDLE: Duration = Duration::from_secs(20);

/// Where a server is and how it is entered.
pub(super) struct Server {
    pub(super) host: String,
    pub(super) port: u16,
    pub(super) hello: ClientId,
    pub(super) tls: Option<(Handshake, TlsParameters)>,
    pub(super) credentials: Option<Credentials>,
    pub(super) timeout: Duration,
}

/// When TLS begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Handshake {
    AtOnce,
    Starttls,
}

/// A mail in its envelope.
pub(super) struct Enveloped<'m> {
    pub(super) from: &'m Address,
    pub(super) to: &'m Address,
    pub(super) text: &'m str,
}

/// Why a mail was not taken, and whether the connection may be used for another.
struct Broken {
    stage: Stage,
    error: Error,
}

impl Broken {
    fn at(stage: Stage) -> impl Fn(Error) -> Self {
        move |error| Self { stage, error }
    }

    fn code(&self) -> Option<u16> {
        self.error.status().map(u16::from)
    }

    /// Whether the server goes on listening after what it said.
    fn is_answer(&self) -> bool {
        self.code().is_some_and(|code| code != 421)
    }

    fn into_failure(self) -> Failure {
        let text = self.error.source().map(ToString::to_string).unwrap_or_default();
        match self.code() {
            Some(code) => reply::refusal(self.stage, code, &text),
            None => Failure::of_provider(Class::Transient, self.error.to_string()),
        }
    }
}

impl Server {
    /// Connects, greets, encrypts and signs in.
    async fn open(&self) -> Result<AsyncSmtpConnection, Failure> {
        let failed = |error| Broken::at(Stage::Session)(error).into_failure();
        let at_once = self.tls.as_ref().filter(|(when, _)| *when == Handshake::AtOnce);
        let tls = at_once.map(|(_, tls)| tls.clone());
        let place = (self.host.as_str(), self.port);
        let mut connection =
            AsyncSmtpConnection::connect_tokio1(place, Some(self.timeout), &self.hello, tls, None)
                .await
                .map_err(failed)?;
        if let Some((Handshake::Starttls, tls)) = &self.tls {
            connection
                .starttls(tls.clone(), &self.hello)
                .await
                .map_err(failed)?;
        }
        if let Some(credentials) = &self.credentials {
            let mechanisms = [Mechanism::Plain, Mechanism::Login];
            connection.auth(&mechanisms, credentials).await.map_err(failed)?;
        }
        Ok(connection)
    }
}

/// Connections that wait for their next mail.
#[derive(Default)]
pub(super) struct Idle(Mutex<Vec<(AsyncSmtpConnection, Instant)>>);

impl Idle {
    fn take(&self) -> Option<AsyncSmtpConnection> {
        let mut idle = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        idle.retain(|(_, since)| since.elapsed() < IDLE);
        idle.pop().map(|(connection, _)| connection)
    }

    fn keep(&self, connection: AsyncSmtpConnection) {
        let mut idle = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        idle.push((connection, Instant::now()));
    }
}

/// Hands `mail` over on a connection of `idle`, or on a new one.
///
/// While it is at work the connection belongs to this call alone: whoever drops the
/// future closes it.
pub(super) async fn hand_over(
    server: &Server,
    idle: &Idle,
    mail: &Enveloped<'_>,
) -> Result<Response, Failure> {
    if let Some(connection) = idle.take() {
        match on(connection, idle, mail).await {
            // It had been hung up on us while it was idle. Nothing of this mail is with them.
            Err(broken) if !broken.is_answer() && broken.stage != Stage::Message => {}
            done => return done.map_err(Broken::into_failure),
        }
    }
    let connection = server.open().await?;
    on(connection, idle, mail).await.map_err(Broken::into_failure)
}

async fn on(
    mut connection: AsyncSmtpConnection,
    idle: &Idle,
    mail: &Enveloped<'_>,
) -> Result<Response, Broken> {
    let done = converse(&mut connection, mail).await;
    let usable = match &done {
        Ok(_) => true,
        Err(broken) => broken.is_answer() && connection.command(Rset).await.is_ok(),
    };
    if usable {
        idle.keep(connection);
    }
    done
}

async fn converse(connection: &mut AsyncSmtpConnection, mail: &Enveloped<'_>) -> Result<Response, Broken> {
    let mut parameters = Vec::new();
    let offers = connection.server_info();
    let addresses: [&str; 2] = [mail.from.as_ref(), mail.to.as_ref()];
    if addresses.iter().any(|address| !address.is_ascii()) && offers.supports_feature(Extension::SmtpUtfEight)
    {
        parameters.push(MailParameter::SmtpUtfEight);
    }
    if !mail.text.is_ascii() && offers.supports_feature(Extension::EightBitMime) {
        parameters.push(MailParameter::Body(MailBodyParameter::EightBitMime));
    }
    connection
        .command(Mail::new(Some(mail.from.clone()), parameters))
        .await
        .map_err(Broken::at(Stage::Envelope))?;
    connection
        .command(Rcpt::new(mail.to.clone(), Vec::new()))
        .await
        .map_err(Broken::at(Stage::Recipient))?;
    connection
        .command(Data)
        .await
        .map_err(Broken::at(Stage::Envelope))?;
    connection
        .command(Content(mail.text))
        .await
        .map_err(Broken::at(Stage::Message))
}

/// A mail's text as it goes over the line: lines that begin with a dot begin with two, and
/// a dot alone ends it. All in one write: the end would otherwise wait, as a small packet
/// of its own, until the server has acknowledged what came before it.
struct Content<'m>(&'m str);

impl fmt::Display for Content<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for line in self.0.split_inclusive("\r\n") {
            if line.starts_with('.') {
                f.write_str(".")?;
            }
            f.write_str(line)?;
        }
        let end = if self.0.ends_with("\r\n") {
            ".\r\n"
        } else {
            "\r\n.\r\n"
        };
        f.write_str(end)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dots_are_doubled_and_one_ends_it() {
        for (text, line) in [
            ("a\r\n.b\r\n..\r\n", "a\r\n..b\r\n...\r\n.\r\n"),
            (".", "..\r\n.\r\n"),
            ("a.\r\n.", "a.\r\n..\r\n.\r\n"),
        ] {
            assert_eq!(Content(text).to_string(), line);
        }
    }
}
