//! Requests, as tests write them.

use std::future::IntoFuture;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::time::Duration;

use bytes::Bytes;
use reqwest::Method;
use reqwest::header::{AUTHORIZATION, CONNECTION, CONTENT_TYPE, COOKIE};
use serde::Serialize;

use crate::Answer;
use crate::cookies::Jar;

/// Sends requests to one address. Cheap to clone; each method that says who calls answers a new one.
#[derive(Clone)]
pub struct Client {
    http: reqwest::Client,
    base: String,
    token: Option<String>,
    from: Option<IpAddr>,
    cookies: Option<Jar>,
}

impl Client {
    /// A client of whatever listens at `address`, without a token.
    pub fn new(address: SocketAddr) -> Self {
        let http = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .timeout(Duration::from_secs(30))
            // What stops must not wait for connections that might be used again.
            .pool_max_idle_per_host(0)
            .build();
        Self {
            http: http.expect("a client can be built"),
            base: format!("http://{address}"),
            token: None,
            from: None,
            cookies: None,
        }
    }

    /// The same, signed in with `token`.
    #[must_use]
    pub fn signed_in(&self, token: impl Into<String>) -> Self {
        Self {
            token: Some(token.into()),
            ..self.clone()
        }
    }

    /// Host and port that it sends to.
    pub fn address(&self) -> &str {
        self.base.trim_start_matches("http://")
    }

    /// The same, at the address `from` (by `X-Forwarded-For`, which the services believe of this machine).
    #[must_use]
    pub fn from(&self, from: impl Into<IpAddr>) -> Self {
        Self {
            from: Some(from.into()),
            ..self.clone()
        }
    }

    /// The same, with an empty cookie jar.
    #[must_use]
    pub fn with_cookies(&self) -> Self {
        Self {
            cookies: Some(Jar::default()),
            ..self.clone()
        }
    }

    /// A cookie of the jar.
    pub fn cookie(&self, name: &str) -> Option<String> {
        self.cookies.as_ref()?.get(name)
    }

    /// `GET path`.
    pub fn get(&self, path: &str) -> Request {
        self.request(&Method::GET, path)
    }

    /// `POST path`.
    pub fn post(&self, path: &str) -> Request {
        self.request(&Method::POST, path)
    }

    /// `PUT path`.
    pub fn put(&self, path: &str) -> Request {
        self.request(&Method::PUT, path)
    }

    /// `PATCH path`.
    pub fn patch(&self, path: &str) -> Request {
        self.request(&Method::PATCH, path)
    }

    /// `DELETE path`.
    pub fn delete(&self, path: &str) -> Request {
        self.request(&Method::DELETE, path)
    }

    /// Any method. The path is sent as it stands, so it has to be encoded.
    pub fn request(&self, method: &Method, path: &str) -> Request {
        let mut builder = self.http.request(method.clone(), format!("{}{path}", self.base));
        builder = builder.header(CONNECTION, "close");
        if let Some(token) = &self.token {
            builder = builder.bearer_auth(token);
        }
        if let Some(from) = self.from {
            builder = builder.header("x-forwarded-for", from.to_string());
        }
        let cookies = self.cookies.clone();
        if let Some(header) = cookies
            .as_ref()
            .map(Jar::header)
            .filter(|header| !header.is_empty())
        {
            builder = builder.header(COOKIE, header);
        }
        Request {
            name: format!("{method} {path}"),
            builder,
            cookies,
        }
    }
}

/// A request that is sent when it is awaited.
#[must_use = "a request is sent when it is awaited"]
pub struct Request {
    name: String,
    builder: reqwest::RequestBuilder,
    cookies: Option<Jar>,
}

impl Request {
    fn with(self, change: impl FnOnce(reqwest::RequestBuilder) -> reqwest::RequestBuilder) -> Self {
        Self {
            builder: change(self.builder),
            ..self
        }
    }

    /// With a JSON body.
    pub fn json(self, body: impl Serialize) -> Self {
        self.with(|builder| builder.json(&body))
    }

    /// With any body.
    pub fn body(self, content_type: &str, body: impl Into<Bytes>) -> Self {
        self.with(|builder| builder.header(CONTENT_TYPE, content_type).body(body.into()))
    }

    /// With a body of no stated type.
    pub fn untyped_body(self, body: impl Into<Bytes>) -> Self {
        self.with(|builder| builder.body(body.into()))
    }

    /// With query parameters, encoded.
    pub fn query(self, parameters: impl Serialize) -> Self {
        self.with(|builder| builder.query(&parameters))
    }

    /// With one more header.
    pub fn header(self, name: &str, value: &str) -> Self {
        self.with(|builder| builder.header(name, value))
    }

    /// With this `Authorization: Bearer`. A client that is signed in would send two.
    pub fn bearer(self, token: &str) -> Self {
        self.with(|builder| builder.header(AUTHORIZATION, format!("Bearer {token}")))
    }

    /// Under this `Idempotency-Key`.
    pub fn idempotency_key(self, key: &str) -> Self {
        self.header("idempotency-key", key)
    }

    /// Sends it; an error when there is no answer, for tests that cut connections.
    pub async fn send(self) -> Result<Answer, reqwest::Error> {
        let answer = self.builder.send().await?;
        let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
        if let Some(cookies) = &self.cookies {
            cookies.store(&headers);
        }
        Ok(Answer {
            request: self.name,
            status,
            headers,
            body: answer.bytes().await?,
        })
    }
}

impl IntoFuture for Request {
    type Output = Answer;
    type IntoFuture = Pin<Box<dyn Future<Output = Answer> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        let name = self.name.clone();
        Box::pin(async move {
            let sent = self.send().await;
            sent.unwrap_or_else(|error| panic!("{name} was not answered: {error:?}"))
        })
    }
}
