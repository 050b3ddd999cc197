//! `WebSockets`: after the 101 bytes go both ways as they come. One whose replica is in this process leaves the
//! gateway with its connection.

use std::cell::Cell;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::Duration;

use actix_web::http::{Method, StatusCode, Version, header};
use actix_web::{HttpRequest, HttpResponse};
use parlour_chassis::{Handed, Handovers, Readiness, Takeover, Wire};
use parlour_http::ApiError;
use tokio::io::AsyncWriteExt as _;

use super::answer::Begun;
use super::chunked::Garbage;
use super::connection::{Connection, Failure};
use super::pool::{Pool, Ticket};
use super::proxy::{Proxy, Sender, Whither, ticket, told};
use super::pump::pump;
use super::wire::Length;
use crate::edge::caps::Seat;

/// Over how long the sockets of a stopping gateway are let go, so that they do not all come back at once.
const JITTER: Duration = Duration::from_secs(8);
/// How many replicas are tried.
const TRIES: usize = 3;

/// Whether a request wants to leave HTTP.
pub(crate) fn is_wanted(request: &HttpRequest) -> bool {
    let upgrade = request.headers().get(header::UPGRADE);
    upgrade.is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(b"websocket"))
}

/// Refuses an upgrade that is not one (RFC 6455, section 4.2.1), as one is whose connection does not leave HTTP.
pub(crate) fn check(request: &HttpRequest, leaves: bool) -> Result<(), ApiError> {
    let headers = request.headers();
    let text = |name: &str| {
        headers
            .get(name)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default()
    };
    let words = text("connection")
        .split(',')
        .any(|word| word.trim().eq_ignore_ascii_case("upgrade"));
    let bare =
        !headers.contains_key(header::CONTENT_LENGTH) && !headers.contains_key(header::TRANSFER_ENCODING);
    if request.method() != Method::GET || request.version() != Version::HTTP_11 || !words || !bare || !leaves
    {
        return Err(ApiError::field(
            "Upgrade",
            "must come with GET, Connection: Upgrade and no body",
        ));
    }
    if text("sec-websocket-version") != "13" {
        return Err(ApiError::field("Sec-WebSocket-Version", "must be 13")
            .with_header("Sec-WebSocket-Version", "13".to_owned()));
    }
    if text("sec-websocket-key").len() != 24 {
        return Err(ApiError::field("Sec-WebSocket-Key", "must be 16 bytes in base64"));
    }
    Ok(())
}

/// What a tunnel holds on to while it stands.
pub(crate) struct Held {
    pub(crate) seat: Option<Seat>,
    pub(crate) readiness: Readiness,
    /// Counts what the client got.
    pub(crate) sent: Rc<Cell<u64>>,
}

impl Proxy {
    /// Asks a replica to upgrade. Its answer is the client's answer, also when it declines.
    pub(crate) async fn upgrade(
        &self,
        pool: &Pool,
        whither: Whither,
        request: &HttpRequest,
        sender: &Sender<'_>,
        held: &mut Option<Held>,
        here: Option<&Handovers>,
    ) -> Result<(HttpResponse, SocketAddr), ApiError> {
        let mut tried = Vec::new();
        let mut last = ApiError::unavailable();
        while tried.len() < TRIES
            && let Some(ticket) = ticket(pool, whither, &tried)
        {
            let address = ticket.address();
            if let Some(taker) = here.and_then(|here| here.at(address)) {
                let held = held.take().ok_or_else(ApiError::unavailable)?;
                let said = sender.head(request, Length::None, true);
                let take = move |wire| hand_over(wire, said, &*taker, (held.seat, ticket));
                return Ok((taken(take), address));
            }
            match self.handshake(ticket, request, sender).await {
                Ok(begun) if begun.head.status == StatusCode::SWITCHING_PROTOCOLS => {
                    let held = held.take().ok_or_else(ApiError::unavailable)?;
                    return Ok((open(begun, held), address));
                }
                Ok(begun) => return Ok((begun.response(request.method()), address)),
                Err(failure) => {
                    tried.push(address);
                    let again = matches!(failure, Failure::NotSent(_) | Failure::NoAnswer(_));
                    last = told(failure, &pool.service, address);
                    if !again {
                        break;
                    }
                }
            }
        }
        Err(last)
    }

    async fn handshake(
        &self,
        ticket: Ticket,
        request: &HttpRequest,
        sender: &Sender<'_>,
    ) -> Result<Begun, Failure> {
        let opened = self.kept.connect(ticket.address(), true).await;
        let mut connection: Connection = opened.map_err(|error| {
            ticket.is_dead();
            Failure::NotSent(error)
        })?;
        let head = sender.head(request, Length::None, true);
        connection
            .stream
            .write_all(&head)
            .await
            .map_err(Failure::NotSent)?;
        let head = connection
            .answer_within(request.method(), self.times.first_byte)
            .await?;
        let switched = head.status == StatusCode::SWITCHING_PROTOCOLS;
        if switched && !head.headers.contains_key("sec-websocket-accept") {
            return Err(Failure::Garbage(Garbage));
        }
        Ok(Begun {
            head,
            connection,
            ticket,
            kept: self.kept.clone(),
            // Whatever it answers, this connection has served its purpose.
            sent_whole: false,
            idle: self.times.idle,
        })
    }
}

/// The answer of a service that switched, and then the tunnel.
fn open(begun: Begun, held: Held) -> HttpResponse {
    let Begun {
        head,
        connection,
        ticket,
        ..
    } = begun;
    let mut response = HttpResponse::build(head.status).upgrade("websocket").finish();
    for (name, value) in head.headers {
        response.headers_mut().append(name, value);
    }
    let takeover = Takeover {
        answered: true,
        take: Box::new(move |wire| Box::pin(tunnel(wire, connection, (held, ticket)))),
    };
    response.extensions_mut().insert(takeover);
    response
}

async fn tunnel(wire: Wire, connection: Connection, (held, _ticket): (Held, Ticket)) {
    let over = async {
        held.readiness.stopping().await;
        tokio::time::sleep(JITTER.mul_f64(rand::random())).await;
    };
    let Connection { stream, buffer, .. } = connection;
    pump((wire.stream, wire.read), (stream, buffer), over, &held.sent).await;
}

/// Stands for the answer of whoever takes the connection.
fn taken(take: impl FnOnce(Wire) + 'static) -> HttpResponse {
    let mut response = HttpResponse::new(StatusCode::SWITCHING_PROTOCOLS);
    let takeover = Takeover {
        answered: false,
        take: Box::new(|wire| {
            take(wire);
            Box::pin(std::future::ready(()))
        }),
    };
    response.extensions_mut().insert(takeover);
    response
}

/// Gives the connection to the listener in this process that it would be tunnelled to.
fn hand_over(wire: Wire, mut said: Vec<u8>, taker: &dyn Fn(Handed), held: (Option<Seat>, Ticket)) {
    let stream = wire.stream.into_tcp().map(tokio::net::TcpStream::into_std);
    let Some(Ok(stream)) = stream else {
        tracing::warn!("a connection cannot be handed over");
        return;
    };
    said.extend_from_slice(&wire.read);
    taker(Handed {
        stream,
        said: said.into(),
        held: Box::new(held),
    });
}
