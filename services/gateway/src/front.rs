//! The way of every request through the gateway.

use std::net::IpAddr;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Instant;

use actix_web::dev::Payload;
use actix_web::http::header::{HeaderName, HeaderValue};
use actix_web::http::{ConnectionType, StatusCode};
use actix_web::{HttpMessage as _, HttpRequest, HttpResponse};
use futures_util::future::LocalBoxFuture;
use parlour_chassis::{Front, Local};
use parlour_http::{ApiError, Caller, REQUEST_ID, RequestId, client_address, request_id};

use crate::edge::access::{Ledger, Record, Template};
use crate::edge::body::{BodyRules, Incoming};
use crate::edge::compress::compress;
use crate::edge::limits::{Admitted, Key};
use crate::edge::lines::Lines;
use crate::edge::screen::screen;
use crate::edge::security::harden;
use crate::edge::trace::Trace;
use crate::http::docs::asset;
use crate::plan::{Target, is_hidden};
use crate::shared::Shared;
use crate::upstream::proxy::Proxy;
use crate::upstream::tunnel;

/// One worker's edge.
pub(crate) struct Edge {
    pub(crate) shared: Arc<Shared>,
    pub(crate) local: Arc<Local>,
    pub(crate) proxy: Proxy,
    ledger: Rc<Ledger>,
}

impl Front for Edge {
    fn handle<'f>(
        &'f self,
        _: &'f Local,
        request: HttpRequest,
        payload: Payload,
    ) -> LocalBoxFuture<'f, HttpResponse> {
        Box::pin(self.serve(request, payload, false))
    }

    fn leave<'f>(&'f self, _: &'f Local, request: HttpRequest) -> LocalBoxFuture<'f, HttpResponse> {
        Box::pin(self.serve(request, Payload::None, true))
    }
}

impl Edge {
    pub(crate) fn new(shared: Arc<Shared>, local: &Arc<Local>) -> Self {
        shared.set_local(local);
        let proxy = Proxy::new(shared.settings.timeouts);
        let kept = proxy.kept.clone();
        let every = shared.settings.timeouts.keep_alive;
        actix_web::rt::spawn(async move {
            while Rc::strong_count(&kept) > 1 {
                tokio::time::sleep(every).await;
                kept.sweep();
            }
        });
        Self {
            ledger: Rc::new(Ledger {
                tallies: shared.stats.worker(),
                lines: Lines::new(shared.json),
            }),
            local: local.clone(),
            shared,
            proxy,
        }
    }

    /// Answers a request, whose connection can be had if it `leaves` HTTP.
    async fn serve(&self, request: HttpRequest, payload: Payload, leaves: bool) -> HttpResponse {
        let mut record = Record {
            started: Instant::now(),
            method: request.method().clone(),
            template: Template::Unknown,
            user: None,
            request_id: request_id(&request),
            trace: Trace::of(&request),
            received: Rc::default(),
            sent: None,
            upstream: None,
            seat: None,
        };
        let mut admitted = None;
        let result = self
            .answer(&request, payload, leaves, &mut record, &mut admitted)
            .await;
        let response = result.unwrap_or_else(|error| {
            request
                .extensions_mut()
                .insert(RequestId(record.request_id.clone()));
            self.local.router.error(&request, &error)
        });
        self.finish(&request, response, record, admitted)
    }

    /// What every answer has, wherever it comes from.
    fn finish(
        &self,
        request: &HttpRequest,
        mut response: HttpResponse,
        record: Record,
        admitted: Option<Admitted>,
    ) -> HttpResponse {
        let headers = response.headers_mut();
        if let Ok(id) = HeaderValue::from_str(&record.request_id) {
            headers.insert(HeaderName::from_static(REQUEST_ID), id);
        }
        if let Some(admitted) = admitted {
            admitted.tell(headers);
        }
        self.shared.cors.mark(request, headers);
        harden(headers, self.shared.settings.tls.is_on());
        let switching = response.status() == StatusCode::SWITCHING_PROTOCOLS;
        if !switching && self.shared.readiness.is_stopping() {
            // Whoever keeps this connection for later must not send on it any more.
            response.head_mut().set_connection_type(ConnectionType::Close);
        }
        record.conclude(&self.ledger, compress(request, response))
    }

    async fn answer(
        &self,
        request: &HttpRequest,
        payload: Payload,
        leaves: bool,
        record: &mut Record,
        admitted: &mut Option<Admitted>,
    ) -> Result<HttpResponse, ApiError> {
        let shared = &self.shared;
        screen(request, &shared.settings.caps)?;
        if let Some(preflight) = shared.cors.preflight(request) {
            record.template = Template::Fixed("preflight");
            return Ok(preflight);
        }
        let path = request.path();
        if is_hidden(path) {
            return Err(ApiError::not_found());
        }
        if let Some(asset) = asset(request) {
            record.template = Template::Fixed("/docs");
            return Ok(asset);
        }
        if let Some(demo) = &shared.demo
            && let Some(part) = demo.answer(request).await
        {
            record.template = Template::Fixed("/demo");
            return Ok(part);
        }
        let address = client_address(request, self.local.router.proxies());
        let upgrade = tunnel::is_wanted(request);
        let caps = if upgrade {
            &shared.tunnels
        } else {
            &shared.requests
        };
        record.seat = Some(caps.enter(address).ok_or_else(busy)?);
        let target = self.target(path)?;
        if upgrade {
            tunnel::check(request, leaves)?;
            if !matches!(target, Target::Realtime(_)) {
                return Err(ApiError::field("Upgrade", "this path is not a WebSocket"));
            }
        }
        let plan = self.plan(request, &target);
        record.template = plan.template.clone();
        let caller = self.caller(request, plan.reads_tokens).await?;
        let user = caller
            .as_ref()
            .and_then(|caller| caller.principal.as_ref())
            .map(|p| p.id);
        record.user = user;
        let key = user.map_or(Key::Address(address), Key::User);
        *admitted = shared.gate.admit(plan.class, key)?;
        match target {
            Target::Here => self.here(request, payload, record, caller).await,
            Target::There(pool) => self.there(&pool, request, payload, record, address).await,
            Target::Realtime(pool) => {
                self.realtime(&pool, request, payload, record, (address, upgrade))
                    .await
            }
        }
    }

    async fn here(
        &self,
        request: &HttpRequest,
        payload: Payload,
        record: &Record,
        caller: Option<Caller>,
    ) -> Result<HttpResponse, ApiError> {
        let body = self.incoming(request, payload, record)?;
        {
            let mut extensions = request.extensions_mut();
            extensions.insert(RequestId(record.request_id.clone()));
            extensions.insert(record.trace.extension());
            if let Some(caller) = caller {
                extensions.insert(caller);
            }
        }
        Ok(self
            .local
            .router
            .dispatch(request.clone(), body.into_payload())
            .await)
    }

    pub(crate) fn incoming(
        &self,
        request: &HttpRequest,
        payload: Payload,
        record: &Record,
    ) -> Result<Incoming, ApiError> {
        let rules = BodyRules {
            most: self.shared.settings.caps.body_bytes,
            idle: self.shared.settings.timeouts.idle,
        };
        Incoming::new(request, payload, rules, record.received.clone())
    }

    /// How the client reached the platform.
    pub(crate) fn proto(&self, request: &HttpRequest, address: IpAddr) -> &'static str {
        if self.shared.settings.tls.is_on() {
            return "https";
        }
        // A proxy before us that told the address tells this too.
        let peer = request.peer_addr().map(|peer| peer.ip().to_canonical());
        let told = request.headers().get("x-forwarded-proto");
        let behind = peer.is_some_and(|peer| peer != address);
        match told.map(HeaderValue::as_bytes) {
            Some(b"https") if behind => "https",
            _ => "http",
        }
    }
}

/// Counters that are there before they count, so that the first increase is seen as one.
pub(crate) fn count_from_zero() {
    metrics::counter!("parlour_requests_shed_total").increment(0);
}

fn busy() -> ApiError {
    metrics::counter!("parlour_requests_shed_total").increment(1);
    let mut busy = ApiError::unavailable();
    busy.message = "Too much is going on at the moment. Try again shortly.".into();
    busy
}
