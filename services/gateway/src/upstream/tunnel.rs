//! `WebSockets`: after the 101 bytes go both ways as they come. An idle one holds no buffer of ours.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use actix_web::body::{BodySize, BoxBody, MessageBody};
use actix_web::dev::Payload;
use actix_web::http::{Method, StatusCode, Version, header};
use actix_web::{HttpRequest, HttpResponse};
use bytes::{Bytes, BytesMut};
use futures_util::StreamExt as _;
use futures_util::future::LocalBoxFuture;
use parlour_chassis::Readiness;
use parlour_http::ApiError;
use tokio::io::AsyncWriteExt as _;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::time::Sleep;
use tokio_util::io::poll_read_buf;

use super::answer::Begun;
use super::chunked::Garbage;
use super::connection::{Connection, Failure};
use super::pool::{Pool, Ticket};
use super::proxy::{Proxy, Sender, Whither, ticket, told};
use super::wire::{Length, Passage, write_request};
use crate::edge::caps::Seat;

/// Room for a piece of what comes back.
const PIECE: usize = 4 * 1024;
/// Over how long the sockets of a stopping gateway are let go, so that they do not all come back at once.
const JITTER: Duration = Duration::from_secs(8);
/// How long the last bytes have to reach the client before its connection is closed.
const LAST_WORDS: Duration = Duration::from_millis(100);
/// How many replicas are tried.
const TRIES: usize = 3;

/// Whether a request wants to leave HTTP.
pub(crate) fn is_wanted(request: &HttpRequest) -> bool {
    let upgrade = request.headers().get(header::UPGRADE);
    upgrade.is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(b"websocket"))
}

/// Refuses an upgrade that is not one (RFC 6455, section 4.2.1).
pub(crate) fn check(request: &HttpRequest) -> Result<(), ApiError> {
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
    if request.method() != Method::GET || request.version() != Version::HTTP_11 || !words || !bare {
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
}

impl Proxy {
    /// Asks a replica to upgrade. Its answer is the client's answer, also when it declines.
    pub(crate) async fn upgrade(
        &self,
        pool: &Pool,
        whither: Whither,
        request: &HttpRequest,
        payload: &mut Option<Payload>,
        sender: &Sender<'_>,
        held: &mut Option<Held>,
    ) -> Result<(HttpResponse, SocketAddr), ApiError> {
        let mut tried = Vec::new();
        let mut last = ApiError::unavailable();
        while tried.len() < TRIES
            && let Some(ticket) = ticket(pool, whither, &tried)
        {
            let address = ticket.address();
            match self.handshake(ticket, request, sender).await {
                Ok(begun) if begun.head.status == StatusCode::SWITCHING_PROTOCOLS => {
                    let (Some(payload), Some(held)) = (payload.take(), held.take()) else {
                        return Err(ApiError::unavailable());
                    };
                    return Ok((open(begun, payload, held), address));
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
        let passage = Passage {
            request,
            address: sender.address,
            request_id: sender.request_id,
            trace: sender.trace,
            proto: sender.proto,
            length: Length::None,
            upgrade: true,
        };
        let mut head = Vec::with_capacity(1024);
        write_request(&passage, &mut head);
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

fn open(begun: Begun, payload: Payload, held: Held) -> HttpResponse {
    let Begun {
        head,
        connection,
        ticket,
        ..
    } = begun;
    let (reader, writer) = connection.stream.into_split();
    actix_web::rt::spawn(upward(payload, writer));
    let mut response = HttpResponse::build(head.status).upgrade("websocket").finish();
    for (name, value) in head.headers {
        response.headers_mut().append(name, value);
    }
    let Held { seat, readiness } = held;
    let over = Box::pin(async move {
        readiness.stopping().await;
        tokio::time::sleep(JITTER.mul_f64(rand::random())).await;
    });
    response.set_body(BoxBody::new(Downward {
        // A copy: what is left of the head's buffer must not stay for as long as the tunnel.
        first: Bytes::copy_from_slice(&connection.buffer),
        reader,
        over,
        closing: None,
        _held: (seat, ticket),
    }))
}

/// From the client to the service.
async fn upward(mut payload: Payload, mut writer: OwnedWriteHalf) {
    while let Some(Ok(piece)) = payload.next().await {
        if writer.write_all(&piece).await.is_err() {
            return;
        }
    }
    // Both ways end together: what the service still has to say has nobody to hear it.
    let _ = writer.shutdown().await;
}

/// From the service to the client.
struct Downward {
    first: Bytes,
    reader: OwnedReadHalf,
    over: LocalBoxFuture<'static, ()>,
    /// Runs from the end on.
    closing: Option<Pin<Box<Sleep>>>,
    _held: (Option<Seat>, Ticket),
}

impl Downward {
    /// The next piece; nothing when the service has ended it, or this gateway stops.
    fn poll_piece(&mut self, cx: &mut Context<'_>) -> Poll<Option<Bytes>> {
        if !self.first.is_empty() {
            return Poll::Ready(Some(std::mem::take(&mut self.first)));
        }
        if self.over.as_mut().poll(cx).is_ready() {
            return Poll::Ready(None);
        }
        let stream: &tokio::net::TcpStream = self.reader.as_ref();
        if ready!(stream.poll_read_ready(cx)).is_err() {
            return Poll::Ready(None);
        }
        // Room is made when there is something to put into it.
        let mut buffer = BytesMut::with_capacity(PIECE);
        // Not `try_read_buf`: this knows from a piece that leaves room that nothing more is there.
        let read = poll_read_buf(Pin::new(&mut self.reader), cx, &mut buffer);
        match read {
            Poll::Ready(Ok(0) | Err(_)) => Poll::Ready(None),
            Poll::Ready(Ok(_)) => Poll::Ready(Some(buffer.freeze())),
            Poll::Pending => Poll::Pending,
        }
    }
}

impl MessageBody for Downward {
    type Error = io::Error;

    fn size(&self) -> BodySize {
        BodySize::Stream
    }

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, Self::Error>>> {
        if self.closing.is_none() {
            if let Some(piece) = ready!(self.poll_piece(cx)) {
                return Poll::Ready(Some(Ok(piece)));
            }
            self.closing = Some(Box::pin(tokio::time::sleep(LAST_WORDS)));
        }
        if let Some(closing) = &mut self.closing {
            ready!(closing.as_mut().poll(cx));
        }
        // An error, because after a body that ends well the server would wait for the client to
        // hang up, which a client that has not heard of the end does not do.
        Poll::Ready(Some(Err(io::ErrorKind::ConnectionAborted.into())))
    }
}

#[cfg(test)]
mod tests {
    use std::future::{pending, poll_fn};

    use tokio::net::{TcpListener, TcpStream};

    use super::*;

    #[tokio::test]
    async fn all_that_came_goes_out_and_then_the_connection_is_cut() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let stream = TcpStream::connect(address).await.unwrap();
        let (reader, _writer) = stream.into_split();
        let pool = Pool::new("chat", Vec::new(), true);
        pool.set_addresses(&[address]);
        let mut body = Box::pin(Downward {
            first: Bytes::from_static(b"first"),
            reader,
            over: Box::pin(pending()),
            closing: None,
            _held: (None, pool.pick(&[]).unwrap()),
        });
        let (mut service, _) = listener.accept().await.unwrap();
        service.write_all(b", last").await.unwrap();
        drop(service);
        let mut came = Vec::new();
        let end = loop {
            match poll_fn(|cx| body.as_mut().poll_next(cx)).await {
                Some(Ok(piece)) => came.extend_from_slice(&piece),
                end => break end,
            }
        };
        assert_eq!(came, b"first, last");
        assert!(matches!(end, Some(Err(_))), "{end:?}");
    }
}
