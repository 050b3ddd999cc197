//! A request on its way to a service, and to another replica when that is safe.

use std::net::{IpAddr, SocketAddr};
use std::rc::Rc;
use std::time::{Duration, Instant};

use actix_web::http::{Method, StatusCode};
use actix_web::{HttpRequest, HttpResponse};
use parlour_http::{ApiError, code};

use super::answer::Begun;
use super::connection::{Failure, Kept};
use super::pool::{Pool, Ticket};
use super::wire::{Length, Passage, write_request};
use crate::config::Timeouts;
use crate::edge::body::Outgoing;

/// How often a request is tried: it may meet a replica that just went, and a connection that just closed.
const TRIES: usize = 4;

/// Who asks, as services are told.
pub(crate) struct Sender<'s> {
    pub(crate) address: IpAddr,
    pub(crate) request_id: &'s str,
    pub(crate) trace: &'s str,
    pub(crate) proto: &'s str,
}

impl Sender<'_> {
    /// The head of a request, as services read it.
    pub(super) fn head(&self, request: &HttpRequest, length: Length, upgrade: bool) -> Vec<u8> {
        let passage = Passage {
            request,
            address: self.address,
            request_id: self.request_id,
            trace: self.trace,
            proto: self.proto,
            length,
            upgrade,
        };
        let mut head = Vec::with_capacity(1024);
        write_request(&passage, &mut head);
        head
    }
}

/// One worker's way to the services.
pub(crate) struct Proxy {
    pub(crate) kept: Rc<Kept>,
    pub(crate) times: Timeouts,
}

/// Where a request may go.
#[derive(Clone, Copy)]
pub(crate) enum Whither {
    /// Wherever the least is going on.
    Anywhere,
    /// Only there, and nowhere else.
    To(SocketAddr),
}

impl Proxy {
    pub(crate) fn new(times: Timeouts) -> Self {
        Self {
            kept: Rc::new(Kept::new(times)),
            times,
        }
    }

    /// Sends the request on and answers with what came back.
    pub(crate) async fn forward(
        &self,
        pool: &Pool,
        whither: Whither,
        request: &HttpRequest,
        sender: &Sender<'_>,
        body: &mut Outgoing,
        first_byte: Duration,
    ) -> Result<(HttpResponse, SocketAddr, Duration), ApiError> {
        let mut tried = Vec::new();
        let mut last = None;
        for turn in 0..TRIES {
            let Some(ticket) = ticket(pool, whither, &tried) else {
                break;
            };
            let started = Instant::now();
            let address = ticket.address();
            let fresh = turn + 1 == TRIES;
            match self.once(ticket, request, sender, body, first_byte, fresh).await {
                Ok(begun) => {
                    let time = started.elapsed();
                    pool.duration.record(time);
                    return Ok((begun.response(request.method()), address, time));
                }
                Err((failure, used)) => {
                    pool.failures.increment(1);
                    if !may_retry(&failure, request.method(), body) {
                        return Err(told(failure, &pool.service, address));
                    }
                    tracing::debug!(service = %pool.service, %address, ?failure, "tried again");
                    // A connection that had been at rest says nothing about its replica.
                    if !used {
                        tried.push(address);
                    }
                    last = Some((failure, address));
                }
            }
        }
        let Some((failure, address)) = last else {
            pool.unserved.increment(1);
            return Err(ApiError::unavailable());
        };
        Err(told(failure, &pool.service, address))
    }

    /// One try; the error says whether the connection had been used before.
    async fn once(
        &self,
        ticket: Ticket,
        request: &HttpRequest,
        sender: &Sender<'_>,
        body: &mut Outgoing,
        first_byte: Duration,
        fresh: bool,
    ) -> Result<Begun, (Failure, bool)> {
        let opened = self.kept.connect(ticket.address(), fresh).await;
        let mut connection = opened.map_err(|error| {
            ticket.is_dead();
            (Failure::NotSent(error), false)
        })?;
        let mut head = sender.head(request, length(body, request.method()), false);
        let asked = connection
            .ask(&mut head, body, request.method(), &self.times, first_byte)
            .await;
        let (head, sent_whole) = asked.map_err(|failure| (failure, connection.used))?;
        if head.status == StatusCode::SWITCHING_PROTOCOLS {
            return Err((Failure::Garbage(super::chunked::Garbage), connection.used));
        }
        Ok(Begun {
            head,
            connection,
            ticket,
            kept: self.kept.clone(),
            sent_whole,
            idle: self.times.idle,
        })
    }
}

pub(super) fn ticket(pool: &Pool, whither: Whither, tried: &[SocketAddr]) -> Option<Ticket> {
    match whither {
        Whither::Anywhere => pool.pick(tried),
        Whither::To(address) if tried.contains(&address) => None,
        Whither::To(address) => pool.at(address),
    }
}

fn length(body: &Outgoing, method: &Method) -> Length {
    match body {
        // A method that takes a body says so also when it is empty.
        Outgoing::Whole(bytes) if bytes.is_empty() && !takes_body(method) => Length::None,
        Outgoing::Whole(bytes) => Length::Known(bytes.len() as u64),
        Outgoing::Streamed {
            length: Some(length), ..
        } => Length::Known(*length),
        Outgoing::Streamed { length: None, .. } => Length::Chunked,
    }
}

fn takes_body(method: &Method) -> bool {
    matches!(*method, Method::POST | Method::PUT | Method::PATCH)
}

/// Whether the service cannot have done anything, or does the same when it does it again.
fn may_retry(failure: &Failure, method: &Method, body: &Outgoing) -> bool {
    let untouched = match body {
        Outgoing::Whole(_) => true,
        Outgoing::Streamed { rest, .. } => !rest.was_passed_on(),
    };
    match failure {
        Failure::NotSent(_) => untouched,
        Failure::NoAnswer(_) => matches!(body, Outgoing::Whole(_)) && method.is_idempotent(),
        Failure::TimedOut | Failure::Garbage(_) | Failure::Client(_) => false,
    }
}

/// What the client is told. Why stays in the log.
pub(super) fn told(failure: Failure, service: &str, address: SocketAddr) -> ApiError {
    let (status, cause) = match failure {
        Failure::Client(error) => return error,
        Failure::NotSent(error) => {
            let cause = format!("{service} at {address} cannot be reached: {error}");
            return ApiError::unavailable().with_cause(cause);
        }
        Failure::NoAnswer(error) => (StatusCode::BAD_GATEWAY, format!("did not answer: {error}")),
        Failure::Garbage(error) => (StatusCode::BAD_GATEWAY, error.to_string()),
        Failure::TimedOut => (StatusCode::GATEWAY_TIMEOUT, "did not answer in time".to_owned()),
    };
    ApiError::new(
        status,
        code::UPSTREAM_UNAVAILABLE,
        "This is not available at the moment. Try again shortly.",
    )
    .with_cause(format!("{service} at {address}: {cause}"))
}
