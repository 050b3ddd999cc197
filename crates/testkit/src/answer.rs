//! What came back.

use std::fmt;

use bytes::Bytes;
use reqwest::header::{HeaderMap, SET_COOKIE};
use serde::de::DeserializeOwned;
use serde_json::Value;

/// An answer, read whole.
#[derive(Clone)]
pub struct Answer {
    pub(crate) request: String,
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Answer {
    /// Whether HEAD was asked, whose answers have no body.
    pub(crate) fn is_to_head(&self) -> bool {
        self.request.starts_with("HEAD ")
    }

    /// Fails the test, and prints the answer, unless its status is `status`.
    #[track_caller]
    pub fn expect(&self, status: u16) -> &Self {
        assert!(self.status == status, "expected {status}\n{self}");
        self
    }

    /// Fails the test, and prints the answer, unless it is an error with this status and code.
    #[track_caller]
    pub fn expect_error(&self, status: u16, code: &str) -> &Self {
        assert!(
            self.status == status && self.code().as_deref() == Some(code),
            "expected {status} {code}\n{self}"
        );
        self
    }

    /// The status.
    pub fn status(&self) -> u16 {
        self.status
    }

    /// A header, by its lower-case name.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// All headers.
    pub fn headers(&self) -> &HeaderMap {
        &self.headers
    }

    /// The value of a cookie that was set.
    pub fn cookie(&self, name: &str) -> Option<&str> {
        let lines = self.headers.get_all(SET_COOKIE).into_iter();
        lines.filter_map(|line| line.to_str().ok()).find_map(|line| {
            let (found, rest) = line.split_once('=')?;
            (found == name).then(|| rest.split(';').next().unwrap_or_default())
        })
    }

    /// The body as it came.
    pub fn bytes(&self) -> &Bytes {
        &self.body
    }

    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The body as JSON.
    #[track_caller]
    pub fn json(&self) -> Value {
        self.parse()
    }

    /// `data` of the envelope of Samia and Aura.
    #[track_caller]
    pub fn data(&self) -> Value {
        let body = self.json();
        let succeeded = body.get("success") == Some(&Value::Bool(true));
        assert!(succeeded, "expected an answer that succeeded\n{self}");
        body.get("data").cloned().unwrap_or_default()
    }

    /// The body as a `T`.
    #[track_caller]
    pub fn parse<T: DeserializeOwned>(&self) -> T {
        match serde_json::from_slice(&self.body) {
            Ok(body) => body,
            Err(error) => panic!("{error}\n{self}"),
        }
    }

    /// The stable code of an error.
    pub fn code(&self) -> Option<String> {
        let body: Value = serde_json::from_slice(&self.body).ok()?;
        Some(body.get("code")?.as_str()?.to_owned())
    }
}

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let id = self.header("x-request-id").unwrap_or("without a request id");
        write!(
            f,
            "{} was answered {} ({id})\n{}",
            self.request,
            self.status,
            self.text()
        )
    }
}

impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
