//! What a request is to Engine.IO.

use http::{Method, Request};

use crate::listener::ENGINE_PATH;

/// What it asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Asked {
    /// A session that polls.
    Session,
    /// A session over a WebSocket.
    Socket,
    /// What waits for the client of a session.
    Poll(Box<str>),
    /// To take what the client of a session says.
    Said(Box<str>),
    /// That a session go on over a WebSocket.
    Upgrade(Box<str>),
    /// Nothing that can be done, with what is answered.
    Wrong(&'static str),
    /// It is not Engine.IO's.
    Other,
}

pub(crate) const UNKNOWN_TRANSPORT: &str = r#"{"code":0,"message":"Transport unknown"}"#;
pub(crate) const UNKNOWN_SESSION: &str = r#"{"code":1,"message":"Session ID unknown"}"#;
pub(crate) const BAD_METHOD: &str = r#"{"code":2,"message":"Bad handshake method"}"#;
pub(crate) const BAD_REQUEST: &str = r#"{"code":3,"message":"Bad request"}"#;
pub(crate) const UNKNOWN_VERSION: &str = r#"{"code":5,"message":"Unsupported protocol version"}"#;

impl Asked {
    pub(crate) fn of<B>(request: &Request<B>) -> Self {
        let beneath = request.uri().path().strip_prefix(ENGINE_PATH);
        if !beneath.is_some_and(|rest| rest.is_empty() || rest == "/") {
            return Self::Other;
        }
        let query = request.uri().query().unwrap_or_default();
        let value = |name: &str| query.split('&').find_map(|pair| pair.strip_prefix(name));
        if value("EIO=") != Some("4") {
            return Self::Wrong(UNKNOWN_VERSION);
        }
        let sid: Option<Box<str>> = value("sid=").map(Into::into);
        match (value("transport="), sid, request.method()) {
            (Some("polling"), None, &Method::GET) => Self::Session,
            (Some("polling"), Some(sid), &Method::GET) => Self::Poll(sid),
            (Some("polling"), Some(sid), &Method::POST) => Self::Said(sid),
            (Some("websocket"), None, &Method::GET) => Self::Socket,
            (Some("websocket"), Some(sid), &Method::GET) => Self::Upgrade(sid),
            (Some("polling" | "websocket"), ..) => Self::Wrong(BAD_METHOD),
            _ => Self::Wrong(UNKNOWN_TRANSPORT),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_told_apart() {
        let of = |method: Method, uri: &str| {
            let request = Request::builder().method(method).uri(uri).body(());
            Asked::of(&request.unwrap())
        };
        let get = |uri: &str| of(Method::GET, uri);
        assert_eq!(get("/socket.io/?EIO=4&transport=polling"), Asked::Session);
        assert_eq!(get("/socket.io?transport=websocket&EIO=4"), Asked::Socket);
        let session = "/socket.io/?EIO=4&transport=polling&sid=abc";
        assert_eq!(get(session), Asked::Poll("abc".into()));
        assert_eq!(of(Method::POST, session), Asked::Said("abc".into()));
        assert_eq!(of(Method::PUT, session), Asked::Wrong(BAD_METHOD));
        assert_eq!(
            get("/socket.io/?EIO=4&sid=abc&transport=websocket"),
            Asked::Upgrade("abc".into())
        );
        for other in ["/ws/?EIO=4&transport=polling", "/socket.iox/", "/socket.io/x"] {
            assert_eq!(get(other), Asked::Other, "{other}");
        }
        for wrong in ["/socket.io/", "/socket.io/?EIO=3&transport=polling"] {
            assert_eq!(get(wrong), Asked::Wrong(UNKNOWN_VERSION), "{wrong}");
        }
    }
}
