//! The head of a request for a service: what the client said, without what is between
//! neighbours and what only we may say.

use std::io::Write as _;
use std::net::IpAddr;

use actix_web::HttpRequest;
use actix_web::http::header::{self, HeaderMap};

/// How the length of a request's body is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Length {
    None,
    Known(u64),
    Chunked,
}

/// What a service is told besides what the client said.
pub(crate) struct Passage<'p> {
    pub(crate) request: &'p HttpRequest,
    pub(crate) address: IpAddr,
    pub(crate) request_id: &'p str,
    pub(crate) trace: &'p str,
    pub(crate) proto: &'p str,
    pub(crate) length: Length,
    pub(crate) upgrade: bool,
}

/// Headers that are between two neighbours, or that only we may set.
pub(super) fn stays_here(name: &str) -> bool {
    matches!(
        name,
        "connection"
            | "content-length"
            | "expect"
            | "forwarded"
            | "host"
            | "http2-settings"
            | "keep-alive"
            | "proxy-authenticate"
            | "proxy-authorization"
            | "proxy-connection"
            | "te"
            | "trailer"
            | "transfer-encoding"
            | "upgrade"
            | "traceparent"
            | "x-request-id"
            | "x-forwarded-for"
            | "x-forwarded-host"
            | "x-forwarded-proto"
            | "x-forwarded-port"
            | "x-real-ip"
    ) || name.starts_with("x-parlour-")
}

/// What a `Connection` header names besides the usual words, which are then ours alone too.
pub(super) fn named(headers: &HeaderMap) -> Vec<String> {
    let values = headers
        .get_all(header::CONNECTION)
        .filter_map(|value| value.to_str().ok());
    values
        .flat_map(|value| value.split(','))
        .map(|word| word.trim().to_ascii_lowercase())
        .filter(|word| !matches!(word.as_str(), "" | "close" | "keep-alive" | "upgrade"))
        .collect()
}

/// The request's own host, which HTTP/2 has in its authority.
pub(crate) fn host(request: &HttpRequest) -> &[u8] {
    match request.headers().get(header::HOST) {
        Some(host) => host.as_bytes(),
        None => request
            .uri()
            .authority()
            .map_or(b"", |authority| authority.as_str().as_bytes()),
    }
}

/// Writes the head of the request for a service.
pub(crate) fn write_request(passage: &Passage<'_>, out: &mut Vec<u8>) {
    let request = passage.request;
    let target = request
        .uri()
        .path_and_query()
        .map_or("/", |target| target.as_str());
    let host = host(request);
    let mut line = |parts: &[&[u8]]| parts.iter().for_each(|part| out.extend_from_slice(part));
    line(&[
        request.method().as_str().as_bytes(),
        b" ",
        target.as_bytes(),
        b" HTTP/1.1\r\nhost: ",
        host,
    ]);
    let named = named(request.headers());
    for (name, value) in request.headers() {
        let name = name.as_str();
        if !stays_here(name) && name != "cookie" && !named.iter().any(|one| one == name) {
            line(&[b"\r\n", name.as_bytes(), b": ", value.as_bytes()]);
        }
    }
    line(&[
        b"\r\nx-forwarded-host: ",
        host,
        b"\r\nx-forwarded-proto: ",
        passage.proto.as_bytes(),
    ]);
    line(&[b"\r\nx-request-id: ", passage.request_id.as_bytes()]);
    line(&[b"\r\ntraceparent: ", passage.trace.as_bytes()]);
    // HTTP/2 sends cookies apart; HTTP/1.1 knows one header of them (RFC 9113, section 8.2.3).
    let mut separator: &[u8] = b"\r\ncookie: ";
    for cookie in request.headers().get_all(header::COOKIE) {
        line(&[separator, cookie.as_bytes()]);
        separator = b"; ";
    }
    // Writing to memory does not fail.
    let _ = write!(out, "\r\nx-forwarded-for: {}", passage.address);
    let _ = match passage.length {
        Length::None => Ok(()),
        Length::Known(length) => write!(out, "\r\ncontent-length: {length}"),
        Length::Chunked => write!(out, "\r\ntransfer-encoding: chunked"),
    };
    if passage.upgrade {
        out.extend_from_slice(b"\r\nconnection: upgrade\r\nupgrade: websocket");
    }
    out.extend_from_slice(b"\r\n\r\n");
}
