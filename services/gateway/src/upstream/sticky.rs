//! Which replica an Engine.IO session lives on. The replica makes the session's id,
//! so that nothing can be computed from it: it is remembered from the handshake.

use std::net::SocketAddr;

use actix_web::HttpRequest;
use quick_cache::sync::Cache;

/// The longest session id that is remembered.
const MOST: usize = 128;

/// Shared by all workers, bounded.
pub(crate) struct Sticky(Cache<Box<str>, SocketAddr>);

impl Sticky {
    pub(crate) fn new(sessions: usize) -> Self {
        Self(Cache::new(sessions.max(1)))
    }

    pub(crate) fn find(&self, sid: &str) -> Option<SocketAddr> {
        self.0.get(sid)
    }

    pub(crate) fn remember(&self, sid: &str, replica: SocketAddr) {
        if (1..=MOST).contains(&sid.len()) {
            self.0.insert(sid.into(), replica);
        }
    }

    pub(crate) fn forget(&self, sid: &str) {
        self.0.remove(sid);
    }
}

/// The session that a request belongs to.
pub(crate) fn sid(request: &HttpRequest) -> Option<&str> {
    let mut pairs = request.query_string().split('&');
    pairs
        .find_map(|pair| pair.strip_prefix("sid="))
        .filter(|sid| !sid.is_empty())
}

/// The id in the answer to a handshake: `0{"sid":"…",…}`.
pub(crate) fn sid_in(body: &[u8]) -> Option<&str> {
    let text = std::str::from_utf8(body).ok()?.strip_prefix('0')?;
    let (_, rest) = text.split_once("\"sid\":\"")?;
    rest.split_once('"').map(|(sid, _)| sid)
}

/// Whether a replica says that the session is not one of its own.
pub(crate) fn is_unknown(body: &[u8]) -> bool {
    let text = b"Session ID unknown";
    body.windows(text.len()).any(|window| window == text)
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    #[test]
    fn sessions_are_found_in_queries_and_handshakes() {
        let of = |uri: &str| sid(&TestRequest::with_uri(uri).to_http_request()).map(ToOwned::to_owned);
        assert_eq!(of("/socket.io/?EIO=4&sid=abc&t=1").as_deref(), Some("abc"));
        assert_eq!(of("/socket.io/?EIO=4&sid="), None);
        assert_eq!(of("/socket.io/?nosid=1"), None);
        let handshake = br#"0{"sid":"lv_VI97HAXpY6yYWAAAC","upgrades":["websocket"],"pingInterval":25000}"#;
        assert_eq!(sid_in(handshake), Some("lv_VI97HAXpY6yYWAAAC"));
        assert_eq!(sid_in(b"2probe"), None);
        assert!(is_unknown(br#"{"code":1,"message":"Session ID unknown"}"#));
    }
}
