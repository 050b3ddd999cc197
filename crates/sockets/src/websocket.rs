//! Plain `WebSockets` (RFC 6455) beside Socket.IO.

use std::sync::Arc;

use bytes::Bytes;
use http::header::{
    CONNECTION, CONTENT_TYPE, HeaderValue, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_PROTOCOL,
    SEC_WEBSOCKET_VERSION, UPGRADE,
};
use http::{Method, StatusCode};
use http_body_util::Full;
use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::{Role, WebSocketConfig};

use crate::door::Kept;
use crate::listener::Seat;
use crate::wire::Wire;
use crate::{Request, Response};

/// An open WebSocket.
pub struct WebSocket {
    /// What comes and goes.
    pub stream: WebSocketStream<TcpStream>,
    _seat: Option<Arc<Seat>>,
    _kept: Option<Kept>,
}

/// What an idle socket reserves for reading, in bytes. A longer message makes room for itself.
const READ_BUFFER: usize = 512;

/// What is gathered before it is written, in bytes. A socket keeps the room that it once
/// needed: this, or its largest message.
const WRITE_BUFFER: usize = 4096;

/// A WebSocket that is granted, and there once the answer has gone out.
pub struct Pending {
    upgrade: OnUpgrade,
    most_bytes: usize,
    seat: Option<Arc<Seat>>,
    kept: Option<Kept>,
}

impl Pending {
    /// The socket. `None` when the client went away meanwhile.
    pub async fn open(self) -> Option<WebSocket> {
        let upgraded = self.upgrade.await.ok()?;
        // As we gave it to hyper.
        let parts = upgraded.downcast::<TokioIo<Wire>>().ok()?;
        let config = WebSocketConfig::default()
            .read_buffer_size(READ_BUFFER)
            .write_buffer_size(WRITE_BUFFER)
            .max_message_size(Some(self.most_bytes))
            .max_frame_size(Some(self.most_bytes));
        let Wire { said, stream } = parts.io.into_inner();
        let read = [parts.read_buf, said].concat();
        let server = Role::Server;
        Some(WebSocket {
            stream: WebSocketStream::from_partially_read(stream, read, server, Some(config)).await,
            _seat: self.seat,
            _kept: self.kept,
        })
    }
}

/// Grants a request for a WebSocket under one of the subprotocols that it offers, if any.
/// Messages may have `most_bytes`. What is no such request gets its refusal.
pub fn accept(
    request: &mut Request,
    protocol: Option<&str>,
    most_bytes: usize,
) -> Result<(Response, Pending), Response> {
    let headers = request.headers();
    let says = |name, word: &str| {
        headers
            .get(name)
            .and_then(|value: &HeaderValue| value.to_str().ok())
            .is_some_and(|text| text.split(',').any(|part| part.trim().eq_ignore_ascii_case(word)))
    };
    let key = headers.get(SEC_WEBSOCKET_KEY).filter(|key| key.len() == 24);
    let asked = request.method() == Method::GET && says(UPGRADE, "websocket") && says(CONNECTION, "upgrade");
    let Some(key) = key.filter(|_| asked) else {
        return Err(refuse(StatusCode::UPGRADE_REQUIRED, "connect with a WebSocket"));
    };
    if !says(SEC_WEBSOCKET_VERSION, "13") {
        let mut refusal = refuse(StatusCode::UPGRADE_REQUIRED, "use WebSocket version 13");
        refusal
            .headers_mut()
            .insert(SEC_WEBSOCKET_VERSION, HeaderValue::from_static("13"));
        return Err(refusal);
    }
    let granted = HeaderValue::from_str(&derive_accept_key(key.as_bytes()));
    let mut response = Response::new(Full::default());
    *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    let out = response.headers_mut();
    out.insert(UPGRADE, HeaderValue::from_static("websocket"));
    out.insert(CONNECTION, HeaderValue::from_static("Upgrade"));
    if let Ok(granted) = granted {
        out.insert(SEC_WEBSOCKET_ACCEPT, granted);
    }
    if let Some(Ok(protocol)) = protocol.map(HeaderValue::from_str) {
        out.insert(SEC_WEBSOCKET_PROTOCOL, protocol);
    }
    let pending = Pending {
        seat: request.extensions().get::<Arc<Seat>>().cloned(),
        kept: request.extensions().get::<Kept>().cloned(),
        upgrade: hyper::upgrade::on(request),
        most_bytes,
    };
    Ok((response, pending))
}

/// A plain refusal.
pub fn refuse(status: StatusCode, sentence: &'static str) -> Response {
    let mut response = Response::new(Full::new(Bytes::from_static(sentence.as_bytes())));
    *response.status_mut() = status;
    response.headers_mut().insert(
        CONTENT_TYPE,
        HeaderValue::from_static("text/plain; charset=utf-8"),
    );
    response
}
