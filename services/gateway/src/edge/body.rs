//! Bodies on their way in: capped, never waited for without end, never held whole unless small.

use std::cell::Cell;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::Duration;

use actix_web::HttpRequest;
use actix_web::dev::Payload;
use actix_web::error::PayloadError;
use actix_web::http::{StatusCode, Version, header};
use bytes::{Bytes, BytesMut};
use futures_util::{Stream, StreamExt as _};
use parlour_http::{ApiError, code};

/// Bodies up to this are read whole before they are sent on: a slow sender then holds
/// no service up, and the request can be sent again when a replica dies.
const SMALL: u64 = 16 * 1024;

/// What a request may bring.
#[derive(Clone, Copy)]
pub(crate) struct BodyRules {
    pub(crate) most: u64,
    pub(crate) idle: Duration,
}

/// How the end of a body is told.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Length {
    Known(u64),
    Open,
}

/// A body that is read piece by piece.
pub(crate) struct Incoming {
    payload: Payload,
    rules: BodyRules,
    read: Rc<Cell<u64>>,
    large: &'static str,
    passed_on: bool,
}

/// A body to send on.
pub(crate) enum Outgoing {
    /// All of it is here.
    Whole(Bytes),
    /// The rest is still to come.
    Streamed {
        /// What was read already.
        first: Bytes,
        /// The whole length, if it was told.
        length: Option<u64>,
        /// What is to come.
        rest: Incoming,
    },
}

impl Incoming {
    /// Wraps a request's body; one that is announced as too large is refused at once.
    pub(crate) fn new(
        request: &HttpRequest,
        payload: Payload,
        rules: BodyRules,
        read: Rc<Cell<u64>>,
    ) -> Result<Self, ApiError> {
        let kind = request.headers().get(header::CONTENT_TYPE);
        let json = kind.is_none_or(|kind| kind.as_bytes().starts_with(b"application/json"));
        let incoming = Self {
            payload,
            rules,
            read,
            large: if json {
                code::PAYLOAD_TOO_LARGE
            } else {
                "FILE_TOO_LARGE"
            },
            passed_on: false,
        };
        match length(request) {
            Length::Known(length) if length > rules.most => Err(incoming.too_large()),
            _ => Ok(incoming),
        }
    }

    /// Whether pieces went to a service that cannot be had back.
    pub(crate) fn was_passed_on(&self) -> bool {
        self.passed_on
    }

    /// The next piece, to be sent on at once.
    pub(crate) async fn pass_on(&mut self) -> Result<Option<Bytes>, ApiError> {
        self.passed_on = true;
        self.next().await
    }

    async fn next(&mut self) -> Result<Option<Bytes>, ApiError> {
        let next = tokio::time::timeout(self.rules.idle, self.payload.next());
        match next.await {
            Ok(None) => Ok(None),
            Ok(Some(Ok(piece))) => {
                self.read.set(self.read.get() + piece.len() as u64);
                if self.read.get() > self.rules.most {
                    return Err(self.too_large());
                }
                Ok(Some(piece))
            }
            Ok(Some(Err(_))) => Err(ApiError::field("body", "did not arrive whole")),
            Err(_) => Err(ApiError::new(
                StatusCode::REQUEST_TIMEOUT,
                code::REQUEST_TIMEOUT,
                "The body did not arrive in time.",
            )),
        }
    }

    fn too_large(&self) -> ApiError {
        let most = self.rules.most;
        let text = format!("The body is larger than {most} bytes.");
        ApiError::new(StatusCode::PAYLOAD_TOO_LARGE, self.large, text)
    }

    /// Reads what is small, and the beginning of what is not.
    pub(crate) async fn gather(mut self, request: &HttpRequest) -> Result<Outgoing, ApiError> {
        let length = length(request);
        if length == Length::Known(0) {
            return Ok(Outgoing::Whole(Bytes::new()));
        }
        if let Length::Known(length) = length
            && length > SMALL
        {
            return Ok(Outgoing::Streamed {
                first: Bytes::new(),
                length: Some(length),
                rest: self,
            });
        }
        let mut first = Bytes::new();
        while first.len() as u64 <= SMALL {
            match self.next().await? {
                None => return Ok(Outgoing::Whole(first)),
                Some(piece) if first.is_empty() => first = piece,
                Some(piece) => {
                    let mut joined = BytesMut::with_capacity(first.len() + piece.len());
                    joined.extend_from_slice(&first);
                    joined.extend_from_slice(&piece);
                    first = joined.freeze();
                }
            }
            if length == Length::Known(first.len() as u64) {
                return Ok(Outgoing::Whole(first));
            }
        }
        let length = match length {
            Length::Known(length) => Some(length),
            Length::Open => None,
        };
        Ok(Outgoing::Streamed {
            first,
            length,
            rest: self,
        })
    }

    /// The body for a service of this process, whose own readers judge what is slow.
    pub(crate) fn into_payload(self) -> Payload {
        if matches!(self.payload, Payload::None) {
            return self.payload;
        }
        let capped: Pin<Box<dyn Stream<Item = Result<Bytes, PayloadError>>>> = Box::pin(Capped(self));
        Payload::Stream { payload: capped }
    }
}

/// A body that ends in an error where it gets too large.
struct Capped(Incoming);

impl Stream for Capped {
    type Item = Result<Bytes, PayloadError>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let incoming = &mut self.get_mut().0;
        let piece = std::task::ready!(Pin::new(&mut incoming.payload).poll_next(cx));
        if let Some(Ok(piece)) = &piece {
            incoming.read.set(incoming.read.get() + piece.len() as u64);
            if incoming.read.get() > incoming.rules.most {
                return Poll::Ready(Some(Err(PayloadError::Overflow)));
            }
        }
        Poll::Ready(piece)
    }
}

fn length(request: &HttpRequest) -> Length {
    let told = request.headers().get(header::CONTENT_LENGTH);
    let told = told.and_then(|value| value.to_str().ok()?.trim().parse().ok());
    let chunked = request.headers().contains_key(header::TRANSFER_ENCODING);
    match told {
        Some(length) => Length::Known(length),
        // Without either there is no body in HTTP/1.1; in HTTP/2 only the stream tells.
        None if !chunked && request.version() < Version::HTTP_2 => Length::Known(0),
        None => Length::Open,
    }
}
