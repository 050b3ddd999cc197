//! A service's answer on its way to the client: piece by piece, as fast as the client reads.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use actix_web::HttpResponse;
use actix_web::body::{BodySize, BoxBody, MessageBody};
use actix_web::http::header::{self, HeaderValue};
use actix_web::http::{Method, StatusCode};
use bytes::Bytes;
use tokio::time::{Sleep, sleep};
use tokio_util::io::poll_read_buf;

use super::chunked::{Chunked, Piece};
use super::connection::{Connection, Kept, PIECE};
use super::head::{Framing, Head};
use super::pool::Ticket;

/// What is needed once an answer has begun.
pub(crate) struct Begun {
    pub(crate) head: Head,
    pub(crate) connection: Connection,
    pub(crate) ticket: Ticket,
    pub(crate) kept: Rc<Kept>,
    /// Whether the service got the whole request; a connection in the middle of one is not used again.
    pub(crate) sent_whole: bool,
    pub(crate) idle: Duration,
}

impl Begun {
    /// The answer for the client.
    pub(crate) fn response(self, method: &Method) -> HttpResponse {
        let Self {
            head,
            mut connection,
            ticket,
            kept,
            sent_whole,
            idle,
        } = self;
        let mut response = HttpResponse::new(head.status);
        *response.headers_mut() = head.headers;
        let address = ticket.address();
        let keeps = head.keeps && sent_whole;
        let body = match head.framing {
            Framing::None => {
                finish(&kept, address, connection, keeps);
                return without_body(response, head.told, method);
            }
            Framing::Known(length) if connection.buffer.len() as u64 >= length => {
                let length = usize::try_from(length).unwrap_or(usize::MAX);
                let bytes = connection.buffer.split_to(length).freeze();
                finish(&kept, address, connection, keeps);
                BoxBody::new(bytes)
            }
            framing => BoxBody::new(Answer {
                length: match framing {
                    Framing::Known(length) => BodySize::Sized(length),
                    _ => BodySize::Stream,
                },
                rest: match framing {
                    Framing::Known(length) => Rest::Known(length),
                    Framing::Chunked => Rest::Chunked(Chunked::default()),
                    _ => Rest::UntilClose,
                },
                connection: Some(connection),
                timer: None,
                kept,
                keeps,
                idle,
                ticket: Some(ticket),
            }),
        };
        response.set_body(body)
    }
}

/// Keeps the connection, if the service said no more than it should.
fn finish(kept: &Kept, address: SocketAddr, connection: Connection, keeps: bool) {
    if keeps && connection.buffer.is_empty() {
        kept.give_back(address, connection);
    }
}

/// An answer that has no body but may tell the length of the one that GET would have.
fn without_body(mut response: HttpResponse, told: Option<u64>, method: &Method) -> HttpResponse {
    match told {
        Some(length) if method == Method::HEAD => response.set_body(BoxBody::new(Untold(length))),
        Some(length) if response.status() == StatusCode::NOT_MODIFIED => {
            response
                .headers_mut()
                .insert(header::CONTENT_LENGTH, HeaderValue::from(length));
            response
        }
        _ => response,
    }
}

/// The length of a body that is not sent.
struct Untold(u64);

impl MessageBody for Untold {
    type Error = std::convert::Infallible;

    fn size(&self) -> BodySize {
        BodySize::Sized(self.0)
    }

    fn poll_next(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Bytes, Self::Error>>> {
        Poll::Ready(None)
    }
}

enum Rest {
    Known(u64),
    Chunked(Chunked),
    UntilClose,
}

/// A body that is still arriving.
struct Answer {
    length: BodySize,
    rest: Rest,
    connection: Option<Connection>,
    timer: Option<Pin<Box<Sleep>>>,
    kept: Rc<Kept>,
    keeps: bool,
    idle: Duration,
    ticket: Option<Ticket>,
}

impl Answer {
    /// The next piece of what is in the buffer; `closed` when nothing can follow it.
    fn buffered(&mut self, closed: bool) -> io::Result<Piece> {
        let Some(connection) = self.connection.as_mut() else {
            return Ok(Piece::End);
        };
        let buffer = &mut connection.buffer;
        let piece = match &mut self.rest {
            Rest::Known(0) => Piece::End,
            Rest::Known(left) if !buffer.is_empty() => {
                let here = usize::try_from(*left).unwrap_or(usize::MAX).min(buffer.len());
                *left -= here as u64;
                Piece::Data(buffer.split_to(here).freeze())
            }
            Rest::Chunked(chunked) => chunked.next(buffer).map_err(io::Error::other)?,
            Rest::UntilClose if !buffer.is_empty() => Piece::Data(buffer.split().freeze()),
            Rest::UntilClose if closed => Piece::End,
            _ => Piece::More,
        };
        match piece {
            // The client must not take a part for the whole: its connection is cut as well.
            Piece::More if closed => Err(io::ErrorKind::UnexpectedEof.into()),
            piece => Ok(piece),
        }
    }

    fn end(&mut self) {
        if let (Some(connection), Some(ticket)) = (self.connection.take(), self.ticket.take()) {
            finish(&self.kept, ticket.address(), connection, self.keeps);
        }
        self.timer = None;
    }

    fn poll_read(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        let Some(connection) = self.connection.as_mut() else {
            return Poll::Ready(Ok(0));
        };
        connection.buffer.reserve(PIECE);
        let read = poll_read_buf(Pin::new(&mut connection.stream), cx, &mut connection.buffer);
        if let Poll::Ready(read) = read {
            self.timer = None;
            return Poll::Ready(read);
        }
        let idle = self.idle;
        let timer = self.timer.get_or_insert_with(|| Box::pin(sleep(idle)));
        ready!(timer.as_mut().poll(cx));
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }
}

impl MessageBody for Answer {
    type Error = io::Error;

    fn size(&self) -> BodySize {
        self.length
    }

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, Self::Error>>> {
        let mut closed = false;
        loop {
            match self.buffered(closed) {
                Ok(Piece::Data(data)) => return Poll::Ready(Some(Ok(data))),
                Ok(Piece::End) => {
                    self.end();
                    return Poll::Ready(None);
                }
                Ok(Piece::More) => {}
                Err(error) => {
                    tracing::warn!(%error, "a service broke off in the middle of an answer");
                    self.connection = None;
                    return Poll::Ready(Some(Err(error)));
                }
            }
            match ready!(self.poll_read(cx)) {
                Ok(0) => closed = true,
                Ok(_) => {}
                Err(error) => {
                    tracing::warn!(%error, "a service broke off in the middle of an answer");
                    self.connection = None;
                    return Poll::Ready(Some(Err(error)));
                }
            }
        }
    }
}

impl Drop for Answer {
    fn drop(&mut self) {
        // The server does not ask for the end of a body whose length it knows.
        if matches!(self.rest, Rest::Known(0)) {
            self.end();
        }
    }
}
