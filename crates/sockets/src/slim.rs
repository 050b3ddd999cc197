//! What is kept of the request that a connection began with.
//!
//! A connection keeps its request for as long as it lives, and every header keeps the
//! whole read buffer that it came in: 8 KB for each idle client. So what is needed is
//! copied and the rest let go.

use http::header::{
    AUTHORIZATION, CONNECTION, CONTENT_LENGTH, CONTENT_TYPE, COOKIE, HOST, HeaderMap, HeaderName,
    HeaderValue, ORIGIN, SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_PROTOCOL, SEC_WEBSOCKET_VERSION, TRANSFER_ENCODING,
    UPGRADE,
};
use http::{Request, Uri};

use crate::listener::ENGINE_PATH;

/// Who sends it and from where, and what the transport reads.
static KEPT: [HeaderName; 6] = [
    SEC_WEBSOCKET_KEY,
    CONTENT_TYPE,
    AUTHORIZATION,
    COOKIE,
    ORIGIN,
    HeaderName::from_static("x-forwarded-for"),
];

/// What is needed beside it to make a plain WebSocket. Such a request does not stay.
static KEPT_BESIDE: [HeaderName; 8] = [
    UPGRADE,
    CONNECTION,
    SEC_WEBSOCKET_VERSION,
    SEC_WEBSOCKET_PROTOCOL,
    CONTENT_LENGTH,
    TRANSFER_ENCODING,
    HOST,
    HeaderName::from_static("x-forwarded-host"),
];

/// The request with copies of what is needed of it.
pub(crate) fn slim<B>(request: Request<B>) -> Request<B> {
    let (mut parts, body) = request.into_parts();
    let beside: &[HeaderName] = if parts.uri.path().starts_with(ENGINE_PATH) {
        &[]
    } else {
        &KEPT_BESIDE
    };
    let names = || KEPT.iter().chain(beside);
    let count = names().map(|name| parts.headers.get_all(name).iter().count());
    let mut kept = HeaderMap::with_capacity(count.sum());
    for name in names() {
        for value in parts.headers.get_all(name) {
            if let Ok(copy) = HeaderValue::from_bytes(value.as_bytes()) {
                kept.append(name.clone(), copy);
            }
        }
    }
    parts.headers = kept;
    if let Ok(copy) = parts.uri.to_string().parse::<Uri>() {
        parts.uri = copy;
    }
    Request::from_parts(parts, body)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(uri: &str) -> Request<()> {
        Request::builder()
            .uri(uri)
            .header("Upgrade", "websocket")
            .header("Authorization", "Bearer x")
            .header("User-Agent", "a long story")
            .body(())
            .unwrap()
    }

    #[test]
    fn what_says_who_and_how_is_kept_and_nothing_else() {
        let uri = "/socket.io/?EIO=4&transport=websocket";
        let slim = slim(request(uri));
        assert_eq!(slim.headers().len(), 1);
        assert_eq!(slim.headers()["authorization"], "Bearer x");
        assert_eq!(slim.uri(), uri);
    }

    #[test]
    fn a_plain_websocket_keeps_what_makes_it_one() {
        let slim = slim(request("/ws/chat/1/"));
        assert_eq!(slim.headers().len(), 2);
        assert_eq!(slim.headers()["upgrade"], "websocket");
    }
}
