//! Requests that leave this process.

use std::net::{IpAddr, SocketAddr};
use std::rc::Rc;

use actix_web::body::MessageBody as _;
use actix_web::dev::Payload;
use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse};
use bytes::Bytes;
use parlour_http::ApiError;
use tracing::Instrument as _;

use crate::edge::access::Record;
use crate::edge::body::Outgoing;
use crate::front::Edge;
use crate::upstream::pool::Pool;
use crate::upstream::proxy::{Sender, Whither};
use crate::upstream::sticky;
use crate::upstream::tunnel::Held;

impl Edge {
    /// To whichever replica has the least to do.
    pub(crate) async fn there(
        &self,
        pool: &Pool,
        request: &HttpRequest,
        payload: Payload,
        record: &mut Record,
        address: IpAddr,
    ) -> Result<HttpResponse, ApiError> {
        let span = self.shared.traced.then(|| span(pool, request, record));
        let mut body = self.incoming(request, payload, record)?.gather(request).await?;
        let sender = Sender {
            address,
            request_id: &record.request_id,
            trace: record.trace.header(),
            proto: self.proto(request, address),
        };
        let first_byte = self.proxy.times.first_byte;
        let sending = self
            .proxy
            .forward(pool, Whither::Anywhere, request, &sender, &mut body, first_byte);
        let (response, _, time) = match span {
            Some(span) => sending.instrument(span).await?,
            None => sending.await?,
        };
        record.upstream = Some(time);
        Ok(response)
    }

    /// To the replica where the session lives.
    pub(crate) async fn realtime(
        &self,
        pool: &Pool,
        request: &HttpRequest,
        payload: Payload,
        record: &mut Record,
        (address, upgrade): (IpAddr, bool),
    ) -> Result<HttpResponse, ApiError> {
        let sid = sticky::sid(request);
        let known = sid.and_then(|sid| self.shared.sticky.find(sid));
        let everyone = pool.members();
        let mut asking = if upgrade {
            Asking::Tunnel(Some(self.held(record)))
        } else {
            Asking::Poll(self.incoming(request, payload, record)?.gather(request).await?)
        };
        let sender = Sender {
            address,
            request_id: &record.request_id,
            trace: record.trace.header(),
            proto: self.proto(request, address),
        };
        let Some(sid) = sid else {
            let whither = Whither::Anywhere;
            let (response, replica) = self
                .ask(pool, whither, request, &sender, &mut asking, true)
                .await?;
            return Ok(self.notice(response, replica));
        };
        // A session of another gateway, or of one that was restarted: its replica will know it.
        let others = everyone.iter().map(|member| member.address);
        let places = known
            .into_iter()
            .chain(others.filter(|place| Some(*place) != known));
        let mut last = Err(ApiError::unavailable());
        for place in places {
            // A replica that is asked whether it knows a session must be able to say no.
            let sure = known == Some(place) || everyone.len() == 1;
            let asked = self
                .ask(pool, Whither::To(place), request, &sender, &mut asking, sure)
                .await;
            match asked.map(|(response, _)| recognised(response)) {
                Ok((response, true)) => {
                    self.shared.sticky.remember(sid, place);
                    return Ok(response);
                }
                Ok((refusal, false)) => last = Ok(refusal),
                Err(error) if asking.is_repeatable() => last = last.or(Err(error)),
                Err(error) => return Err(error),
            }
        }
        self.shared.sticky.forget(sid);
        last
    }

    /// Puts it to a replica. One of this process may get the connection itself where it is `sure` to be the right one.
    async fn ask(
        &self,
        pool: &Pool,
        whither: Whither,
        request: &HttpRequest,
        sender: &Sender<'_>,
        asking: &mut Asking,
        sure: bool,
    ) -> Result<(HttpResponse, SocketAddr), ApiError> {
        match asking {
            Asking::Poll(body) => {
                let most = self.proxy.times.poll;
                let asked = self
                    .proxy
                    .forward(pool, whither, request, sender, body, most)
                    .await;
                asked.map(|(response, replica, _)| (response, replica))
            }
            Asking::Tunnel(held) => {
                // Encrypted, the connection is no use to anybody else.
                let hands = sure && !self.shared.settings.tls.is_on();
                let here = hands.then_some(&self.shared.handovers);
                self.proxy
                    .upgrade(pool, whither, request, sender, held, here)
                    .await
            }
        }
    }

    /// Remembers where the session of a handshake's answer lives.
    fn notice(&self, response: HttpResponse, replica: SocketAddr) -> HttpResponse {
        if response.status() != StatusCode::OK {
            return response;
        }
        let (response, bytes) = in_hand(response);
        if let Some(sid) = bytes.as_deref().and_then(sticky::sid_in) {
            self.shared.sticky.remember(sid, replica);
        }
        response
    }

    fn held(&self, record: &mut Record) -> Held {
        Held {
            seat: record.seat.take(),
            readiness: self.shared.readiness.clone(),
            sent: record.sent.insert(Rc::default()).clone(),
        }
    }
}

/// A request of a session, which may have to be put to several replicas.
enum Asking {
    Poll(Outgoing),
    Tunnel(Option<Held>),
}

impl Asking {
    fn is_repeatable(&self) -> bool {
        match self {
            Self::Poll(body) => matches!(body, Outgoing::Whole(_)),
            Self::Tunnel(held) => held.is_some(),
        }
    }
}

/// The answer, and whether the replica knows the session.
fn recognised(response: HttpResponse) -> (HttpResponse, bool) {
    if response.status() != StatusCode::BAD_REQUEST {
        return (response, true);
    }
    let (response, bytes) = in_hand(response);
    let known = !bytes.is_some_and(|bytes| sticky::is_unknown(&bytes));
    (response, known)
}

/// The body, if it is all here.
fn in_hand(response: HttpResponse) -> (HttpResponse, Option<Bytes>) {
    let (response, body) = response.into_parts();
    match body.try_into_bytes() {
        Ok(bytes) => (
            response.set_body(bytes.clone()).map_into_boxed_body(),
            Some(bytes),
        ),
        Err(body) => (response.set_body(body), None),
    }
}

/// The gateway's part of a trace that is exported.
fn span(pool: &Pool, request: &HttpRequest, record: &mut Record) -> tracing::Span {
    use opentelemetry::trace::TraceContextExt as _;
    use tracing_opentelemetry::OpenTelemetrySpanExt as _;

    let span = tracing::info_span!(
        "proxy",
        otel.kind = "client",
        otel.name = %format_args!("{} {}", request.method(), record.template.path()),
        service = %pool.service,
        request_id = record.request_id,
    );
    if let Some(parent) = record.trace.span_context() {
        let context = opentelemetry::Context::new().with_remote_span_context(parent);
        // Fails only when no tracing layer is there to hold a parent.
        let _ = span.set_parent(context);
    }
    record.trace.continued_by(&span);
    span
}
