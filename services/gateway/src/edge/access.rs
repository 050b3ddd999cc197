//! The access log: what was asked and what became of it. Never a query, never a body.

use std::cell::Cell;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use actix_web::HttpResponse;
use actix_web::body::{BodySize, BoxBody, MessageBody};
use actix_web::http::{Method, StatusCode};
use bytes::Bytes;
use futures_util::future::LocalBoxFuture;
use parlour_chassis::Takeover;
use parlour_http::Route;
use uuid::Uuid;

use super::caps::Seat;
use super::lines::{Line, Lines};
use super::stats::WorkerStats;
use super::trace::Trace;
use crate::upstream::documents::RemoteRoute;

/// The route that a request was given to, as far as it is known.
#[derive(Clone, Default)]
pub(crate) enum Template {
    /// No route: a wrong path, or a service whose document is not known yet.
    #[default]
    Unknown,
    /// Of this process.
    Local(Arc<Route>),
    /// Of another one.
    Remote(Arc<RemoteRoute>),
    /// The gateway's own answer to something.
    Fixed(&'static str),
}

impl Template {
    pub(crate) fn path(&self) -> &str {
        match self {
            Self::Unknown => "none",
            Self::Local(route) => &route.path,
            Self::Remote(route) => &route.path,
            Self::Fixed(name) => name,
        }
    }
}

/// Where one worker's requests are written down.
pub(crate) struct Ledger {
    pub(crate) tallies: Arc<WorkerStats>,
    pub(crate) lines: Rc<Lines>,
}

/// What is noted about a request while it is served.
pub(crate) struct Record {
    pub(crate) started: Instant,
    pub(crate) method: Method,
    pub(crate) template: Template,
    pub(crate) user: Option<Uuid>,
    pub(crate) request_id: String,
    pub(crate) trace: Trace,
    pub(crate) received: Rc<Cell<u64>>,
    /// What went to the client by a tunnel.
    pub(crate) sent: Option<Rc<Cell<u64>>>,
    pub(crate) upstream: Option<Duration>,
    pub(crate) seat: Option<Seat>,
}

impl Record {
    fn write(&self, ledger: &Ledger, status: StatusCode, sent: u64, whole: bool) {
        let now = Instant::now();
        let time = now.duration_since(self.started);
        let route = self.template.path();
        ledger.tallies.count(&self.method, route, time, now);
        ledger.lines.add(&Line {
            method: self.method.as_str(),
            route,
            status: status.as_u16(),
            received: self.received.get(),
            sent,
            whole,
            ms: millis(time),
            upstream_ms: self.upstream.map(millis),
            user: self.user,
            request_id: &self.request_id,
            trace_id: self.trace.id(),
        });
    }

    /// Writes the line when the answer is out: at once if it is all here, else when its end was sent.
    pub(crate) fn conclude(self, ledger: &Rc<Ledger>, mut response: HttpResponse) -> HttpResponse {
        let status = response.status();
        let takeover = response.extensions_mut().remove::<Takeover>();
        if let Some(takeover) = takeover {
            let takeover = self.follow(ledger.clone(), status, takeover);
            response.extensions_mut().insert(takeover);
            return response;
        }
        let empty = matches!(response.body().size(), BodySize::None | BodySize::Sized(0));
        if empty || self.method == Method::HEAD {
            self.write(ledger, status, 0, true);
            return response;
        }
        response.map_body(|_, body| match body.try_into_bytes() {
            Ok(bytes) => {
                self.write(ledger, status, bytes.len() as u64, true);
                BoxBody::new(bytes)
            }
            Err(body) => BoxBody::new(Watched {
                body,
                sent: 0,
                status,
                ledger: ledger.clone(),
                record: Some(self),
            }),
        })
    }

    /// Writes the line when whoever takes the connection over is done with it here.
    fn follow(self, ledger: Rc<Ledger>, status: StatusCode, takeover: Takeover) -> Takeover {
        let Takeover { answered, take } = takeover;
        let take = move |wire| -> LocalBoxFuture<'static, ()> {
            Box::pin(async move {
                take(wire).await;
                let sent = self.sent.as_ref().map_or(0, |sent| sent.get());
                self.write(&ledger, status, sent, true);
            })
        };
        Takeover {
            answered,
            take: Box::new(take),
        }
    }
}

fn millis(time: Duration) -> f64 {
    (time.as_secs_f64() * 1_000_000.0).round() / 1000.0
}

/// A body that is still being sent.
struct Watched {
    body: BoxBody,
    sent: u64,
    status: StatusCode,
    ledger: Rc<Ledger>,
    record: Option<Record>,
}

impl Watched {
    fn end(&mut self, whole: bool) {
        if let Some(record) = self.record.take() {
            record.write(&self.ledger, self.status, self.sent, whole);
        }
    }
}

impl MessageBody for Watched {
    type Error = Box<dyn std::error::Error>;

    fn size(&self) -> BodySize {
        self.body.size()
    }

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, Self::Error>>> {
        let piece = std::task::ready!(Pin::new(&mut self.body).poll_next(cx));
        match &piece {
            Some(Ok(bytes)) => self.sent += bytes.len() as u64,
            Some(Err(_)) => self.end(false),
            None => self.end(true),
        }
        Poll::Ready(piece)
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        // A length that was told is not asked for its end.
        let whole = matches!(self.body.size(), BodySize::Sized(length) if length == self.sent);
        self.end(whole);
    }
}
