//! Bodies that are read piece by piece, and the headers of protocols that live in them.

use std::time::Duration;

use actix_web::dev::Payload;
use actix_web::http::header::HeaderMap;
use actix_web::http::{Method, StatusCode};
use actix_web::web::Bytes;
use futures_util::StreamExt as _;
use tokio::time::Instant;

use crate::{ApiError, Call, Extract, code};

/// How long the next piece may take to arrive.
const PIECE_TIME: Duration = Duration::from_secs(30);
/// How long the whole may take.
const WHOLE_TIME: Duration = Duration::from_mins(30);

/// A body that is still arriving. Nobody has looked at its length or type.
pub struct Arriving {
    payload: Payload,
    until: Instant,
}

impl Arriving {
    /// The next piece; `None` when the body has arrived whole. A sender that stops half-way
    /// is an error, as is one that takes its time.
    pub async fn next(&mut self) -> Result<Option<Bytes>, ApiError> {
        let until = self.until.min(Instant::now() + PIECE_TIME);
        let piece = tokio::time::timeout_at(until, self.payload.next());
        match piece.await {
            Ok(None) => Ok(None),
            Ok(Some(Ok(piece))) => Ok(Some(piece)),
            Ok(Some(Err(_))) => Err(ApiError::field("body", "did not arrive whole")),
            Err(_) => Err(ApiError::new(
                StatusCode::REQUEST_TIMEOUT,
                code::REQUEST_TIMEOUT,
                "The body did not arrive in time.",
            )),
        }
    }
}

impl Extract for Arriving {
    async fn extract(call: &mut Call) -> Result<Self, ApiError> {
        Ok(Self {
            payload: std::mem::replace(&mut call.payload, Payload::None),
            until: Instant::now() + WHOLE_TIME,
        })
    }
}

/// Method and headers, for protocols that live in them.
pub struct Head {
    /// The method: HEAD may have been given to a handler of GET.
    pub method: Method,
    /// All headers.
    pub headers: HeaderMap,
}

impl Head {
    /// A header as text.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }
}

impl Extract for Head {
    async fn extract(call: &mut Call) -> Result<Self, ApiError> {
        Ok(Self {
            method: call.request.method().clone(),
            headers: call.request.headers().clone(),
        })
    }
}
