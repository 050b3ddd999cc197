//! SafeTalk's `ws …/ws/chat/:session_id/`: one session, plain frames of JSON.

use std::sync::Arc;
use std::time::Duration;

use futures_util::{SinkExt as _, StreamExt as _};
use http::StatusCode;
use http::header::{AUTHORIZATION, COOKIE, HeaderMap, ORIGIN, SEC_WEBSOCKET_PROTOCOL};
use parlour_http::{ApiError, SESSION_COOKIE};
use parlour_sockets::{Request, Response, WebSocket, accept, refuse};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio::time::timeout;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::{Message, Utf8Bytes};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::frame::Frame;
use super::live::Live;
use super::seat::{Outlet, Seat};

/// The largest frame, in bytes.
const MOST_BYTES: usize = 64 * 1024;
/// The subprotocol of frontends that cannot send headers; the token stands beside it.
const SUBPROTOCOL: &str = "parlour";
/// How long a goodbye may take.
const GOODBYE: Duration = Duration::from_secs(2);

/// Opens the socket for whoever may come into the session.
pub async fn connect(live: Arc<Live>, mut request: Request) -> Response {
    let session = request.uri().path().strip_prefix("/ws/chat/");
    let session = session.and_then(|rest| Uuid::parse_str(rest.trim_end_matches('/')).ok());
    let Some(session) = session else {
        return refuse(StatusCode::NOT_FOUND, "there is nothing here");
    };
    let Some(token) = token(request.headers(), request.uri().query().unwrap_or_default()) else {
        return refuse(StatusCode::UNAUTHORIZED, "sign in first");
    };
    let principal = match live.verify(&token.text).await {
        Ok(principal) => principal,
        Err(error) => {
            let status = ApiError::from(error).status.as_u16();
            let status = StatusCode::from_u16(status).unwrap_or(StatusCode::UNAUTHORIZED);
            return refuse(status, "sign in first");
        }
    };
    // A page of another site can make a browser send our cookie.
    if token.by_cookie && !is_same_site(request.headers()) {
        return refuse(StatusCode::FORBIDDEN, "this page may not connect");
    }
    let protocol = token.by_subprotocol.then_some(SUBPROTOCOL);
    let (response, pending) = match accept(&mut request, protocol, MOST_BYTES) {
        Ok(accepted) => accepted,
        Err(refusal) => return refusal,
    };
    tokio::spawn(async move {
        let Some(socket) = pending.open().await else {
            return;
        };
        let (queue, waiting) = mpsc::channel(live.settings.queue);
        let end = CancellationToken::new();
        let way = Outlet::Plain {
            queue,
            end: end.clone(),
        };
        let id = Uuid::now_v7().to_string().into_boxed_str();
        match live.sit(principal, (id, way)).await {
            Ok(seat) => hold(live, seat, session, (socket, waiting, end)).await,
            Err(error) => tracing::warn!(%error, "somebody could not be seated"),
        }
    });
    response
}

/// A token, and how it came.
struct Token {
    text: String,
    by_cookie: bool,
    by_subprotocol: bool,
}

/// From the `Authorization` header, `?token=`, the subprotocol `bearer.TOKEN`, or the cookie.
fn token(headers: &HeaderMap, query: &str) -> Option<Token> {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    let token = |text: &str, by_cookie, by_subprotocol| Token {
        text: text.to_owned(),
        by_cookie,
        by_subprotocol,
    };
    if let Some(header) = text(AUTHORIZATION) {
        let (scheme, rest) = header.split_once(' ')?;
        return scheme
            .eq_ignore_ascii_case("bearer")
            .then(|| token(rest.trim(), false, false));
    }
    if let Some(offered) = text(SEC_WEBSOCKET_PROTOCOL) {
        let mut offered = offered.split(',').map(str::trim);
        if let Some(bearer) = offered.find_map(|one| one.strip_prefix("bearer.")) {
            return Some(token(bearer, false, true));
        }
    }
    let mut pairs = query.split('&');
    if let Some(given) = pairs.find_map(|pair| pair.strip_prefix("token=")) {
        return Some(token(given, false, false));
    }
    let mut cookies = text(COOKIE)?.split(';').map(str::trim);
    let cookie = cookies.find_map(|cookie| cookie.strip_prefix(SESSION_COOKIE)?.strip_prefix('='))?;
    Some(token(cookie, true, false))
}

/// A browser says which page opens a WebSocket. Its host has to be the one that is asked,
/// which a proxy passes on.
fn is_same_site(headers: &HeaderMap) -> bool {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let host = text("x-forwarded-host").or_else(|| text("host"));
    let origin = text(ORIGIN.as_str()).and_then(|origin| origin.split_once("://"));
    match (origin, host) {
        (Some((_, origin)), Some(host)) => origin == host,
        _ => false,
    }
}

type Held = (WebSocket, mpsc::Receiver<Utf8Bytes>, CancellationToken);

/// Carries what is said in both directions until one side ends it.
async fn hold(live: Arc<Live>, seat: Arc<Seat>, session: Uuid, (socket, waiting, end): Held) {
    let joined = live
        .handle(&seat, "join_chat", json!({ "session_id": session }))
        .await;
    let admitted = joined.get("success") == Some(&Value::Bool(true));
    if !admitted {
        end.cancel();
    }
    let WebSocket { stream, .. } = socket;
    let (writer, mut reader) = stream.split();
    let every = Duration::from_millis(live.settings.ping_interval_ms);
    let pen = tokio::spawn(write(writer, waiting, end.clone(), every));
    let silent = every + Duration::from_millis(live.settings.ping_timeout_ms);
    while let Some(Ok(Some(Ok(message)))) = end.run_until_cancelled(timeout(silent, reader.next())).await {
        match message {
            Message::Text(text) => said(&live, &seat, session, text.as_str()).await,
            Message::Binary(_) => say_error(&seat, "VALIDATION_ERROR", "Send text frames of JSON."),
            Message::Close(_) => break,
            Message::Ping(_) | Message::Pong(_) | Message::Frame(_) => {}
        }
    }
    end.cancel();
    live.stand(&seat);
    pen.await.ok();
}

/// One frame of the client.
async fn said(live: &Arc<Live>, seat: &Arc<Seat>, session: Uuid, text: &str) {
    let Ok(frame) = serde_json::from_str::<Value>(text) else {
        return say_error(seat, "VALIDATION_ERROR", "Send text frames of JSON.");
    };
    let (event, argument) = match frame.get("type").and_then(Value::as_str) {
        Some("message") => {
            let content = frame.get("content").or_else(|| frame.get("message"));
            let message = json!({
                "id": frame.get("id").or_else(|| frame.get("client_id")).unwrap_or(&Value::Null),
                "content": content.unwrap_or(&Value::Null),
                "type": frame.get("message_type").unwrap_or(&Value::Null),
            });
            (
                "send_message",
                json!({ "session_id": session, "message": message }),
            )
        }
        Some("typing") if frame.get("is_typing") == Some(&Value::Bool(false)) => {
            ("typing_stop", json!({ "session_id": session }))
        }
        Some("typing") => ("typing_start", json!({ "session_id": session })),
        Some("reaction") => (
            "message_reaction",
            json!({
                "session_id": session,
                "message_id": frame.get("message_id"),
                "reaction": frame.get("reaction"),
            }),
        ),
        Some("ping") => return,
        _ => {
            return say_error(
                seat,
                "VALIDATION_ERROR",
                "The type is message, typing or reaction.",
            );
        }
    };
    live.handle(seat, event, argument).await;
}

fn say_error(seat: &Seat, code: &str, sentence: &str) {
    let told = json!({ "code": code, "error": sentence });
    seat.tell(&Frame::new("error", told)).ok();
}

type Writer = futures_util::stream::SplitSink<WebSocketStream<TcpStream>, Message>;

/// Writes what waits, asks now and then whether somebody is there, and says goodbye.
async fn write(
    mut writer: Writer,
    mut waiting: mpsc::Receiver<Utf8Bytes>,
    end: CancellationToken,
    every: Duration,
) {
    let mut ping = tokio::time::interval(every);
    ping.tick().await;
    loop {
        let message = tokio::select! {
            biased;
            () = end.cancelled() => break,
            text = waiting.recv() => match text {
                Some(text) => Message::Text(text),
                None => break,
            },
            _ = ping.tick() => Message::Ping(bytes::Bytes::new()),
        };
        let sent = end.run_until_cancelled(writer.send(message)).await;
        if !matches!(sent, Some(Ok(()))) {
            break;
        }
    }
    let goodbye = async {
        while let Ok(text) = waiting.try_recv() {
            writer.send(Message::Text(text)).await.ok();
        }
        let frame = CloseFrame {
            code: CloseCode::Normal,
            reason: Utf8Bytes::default(),
        };
        writer.send(Message::Close(Some(frame))).await.ok();
    };
    timeout(GOODBYE, goodbye).await.ok();
    end.cancel();
}
