//! HTTP to providers: by TLS, bounded in time and size, and never redirected.

use std::error::Error as _;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use reqwest::dns::Resolve;
use reqwest::{Client, RequestBuilder, StatusCode, header, redirect};
use serde::de::DeserializeOwned;

use super::Class;
use super::attempt::{Failure, retry_after};
use super::webpush::BadEndpoint;

/// Bytes of an answer that are read.
const BODY: usize = 64 * 1024;

/// Who may be asked.
pub(super) enum Peers {
    /// Whoever the configuration names, through the proxy that the environment names.
    Configured,
    /// Whoever a stranger names, found by this resolver and by no proxy: a proxy would
    /// look the name up itself.
    Named(Arc<dyn Resolve>),
    /// Like `Named`, on the own machine: for development.
    Anyone,
}

/// A client whose requests end after `timeout`.
pub(super) fn client(timeout: Duration, peers: Peers) -> reqwest::Result<Client> {
    let builder = Client::builder()
        .user_agent(concat!("parlour/", env!("CARGO_PKG_VERSION")))
        .redirect(redirect::Policy::none())
        .connect_timeout(timeout.min(Duration::from_secs(10)))
        .timeout(timeout);
    match peers {
        Peers::Configured => builder,
        Peers::Named(resolver) => builder.no_proxy().https_only(true).dns_resolver(resolver),
        Peers::Anyone => builder.no_proxy(),
    }
    .build()
}

/// What was answered.
pub(super) struct Answer {
    pub(super) status: StatusCode,
    retry_after: Option<String>,
    body: Vec<u8>,
}

impl Answer {
    /// The body as JSON, if it is that.
    pub(super) fn json<T: DeserializeOwned>(&self) -> Option<T> {
        serde_json::from_slice(&self.body).ok()
    }

    /// The body as text, as much of it as could say why.
    pub(super) fn text(&self) -> String {
        let start = self.body.get(..200).unwrap_or(&self.body);
        String::from_utf8_lossy(start).trim().to_owned()
    }

    /// How long they want to be left alone.
    pub(super) fn retry_after(&self, now: DateTime<Utc>) -> Option<Duration> {
        retry_after(self.retry_after.as_deref()?, now)
    }

    /// What the status alone says: too many requests, a fault of theirs, or no.
    pub(super) fn failure(&self, words: String, now: DateTime<Utc>) -> Failure {
        let wait = self.retry_after(now);
        match self.status.as_u16() {
            429 => Failure::of_provider(Class::Throttled, words).after(wait),
            // Those who do not let us in have not looked at the message.
            401 | 403 | 407 => Failure::of_provider(Class::Transient, words),
            408 | 425 | 500.. => Failure::of_provider(Class::Transient, words).after(wait),
            _ => Failure::of_message(Class::Permanent, words),
        }
    }
}

/// Sends `request` and reads the answer, as much of it as may matter.
pub(super) async fn ask(request: RequestBuilder) -> Result<Answer, Failure> {
    let mut response = request.send().await.map_err(|error| unreachable(&error))?;
    let retry_after = response.headers().get(header::RETRY_AFTER);
    let retry_after = retry_after
        .and_then(|value| value.to_str().ok())
        .map(str::to_owned);
    let status = response.status();
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| unreachable(&error))? {
        let room = BODY - body.len();
        body.extend(chunk.iter().take(room));
        if body.len() == BODY {
            break;
        }
    }
    Ok(Answer {
        status,
        retry_after,
        body,
    })
}

/// The error's own text has the URL, which may be a secret or lead to a person.
fn unreachable(error: &reqwest::Error) -> Failure {
    if error.is_timeout() {
        return Failure::timed_out();
    }
    if let Some(bad) = refused_by_resolver(error) {
        return Failure::of_message(Class::BadAddress, bad.to_string());
    }
    let words = if error.is_connect() {
        "cannot be reached"
    } else if error.is_builder() {
        "cannot be asked: the address is no URL that may be"
    } else {
        "hung up"
    };
    Failure::of_provider(Class::Transient, words)
}

/// Whether our own resolver said that the name leads inside.
fn refused_by_resolver(error: &reqwest::Error) -> Option<BadEndpoint> {
    let mut cause = error.source();
    while let Some(error) = cause {
        if let Some(bad) = error.downcast_ref::<BadEndpoint>() {
            return Some(*bad);
        }
        cause = error.source();
    }
    None
}
