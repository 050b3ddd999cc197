//! What is kept of the request that a connection began with.
//!
//! A connection keeps its request for as long as it lives, and every header keeps the
//! whole read buffer that it came in: 8 KB for each idle client. So what is needed is
//! copied and the rest let go.

use http::header::{
    AUTHORIZATION, CONNECTION, CONTENT_LENGTH, CONTENT_TYPE, COOKIE, HOST, HeaderMap, HeaderName,
    HeaderValue, ORIGIN, SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_PROTOCOL, SEC_WEBSOCKET_VERSION, TRANSFER_ENCODING, UPGRADE,
};
use http::{Request, Uri};

const KEPT: [HeaderName; 13] = [
    UPGRADE,
    CONNECTION,
    SEC_WEBSOCKET_KEY,
    SEC_WEBSOCKET_VERSION,
    SEC_WEBSOCKET_PROTOCOL,
    CONTENT_TYPE,
    CONTENT_LENGTH,
    TRANSFER_ENCODING,
    AUTHORIZATION,
    COOKIE,
    ORIGIN,
    HOST,
    HeaderName::from_static("x-forwarded-host"),
];

/// The request with copies of what is needed of it.
pub(crate) fn slim<B>(request: Request<B>) -> Request<B> {
    let (mut parts, body) = request.into_parts();
    let mut kept = HeaderMap::with_capacity(KEPT.len());
    for name in KEPT {
        for value in parts.headers.get_all(&name) {
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

    #[test]
    fn what_says_who_and_how_is_kept_and_nothing_else() {
        let request = Request::builder()
            .uri("/socket.io/?EIO=4&transport=websocket")
            .header("Upgrade", "websocket")
            .header("Authorization", "Bearer x")
            .header("User-Agent", "a long story")
            .body(())
            .unwrap();
        let slim = slim(request);
        assert_eq!(slim.headers().len(), 2);
        assert_eq!(slim.headers()["authorization"], "Bearer x");
        assert_eq!(slim.uri(), "/socket.io/?EIO=4&transport=websocket");
    }
}
