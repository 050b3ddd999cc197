//! What takes requests in: the gateway's edge, or for a process without it a plain door.

use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;

use actix_web::dev::Payload;
use actix_web::{HttpRequest, HttpResponse};
use futures_util::future::LocalBoxFuture;
use parlour_auth::InternalKey;
use parlour_http::{ApiError, Router};
use serde_json::value::RawValue;

use crate::Readiness;

/// What a front may use of its process.
pub struct Local {
    /// The routes of the services in this process.
    pub router: Router,
    /// Their OpenAPI documents, by service; encoded, for they are twenty times as large in memory.
    pub documents: Vec<(&'static str, Box<RawValue>)>,
    /// How they are.
    pub readiness: Readiness,
}

/// Answers every request of a worker.
pub trait Front {
    /// Answers one whose connection is HTTP and stays it.
    fn handle<'f>(
        &'f self,
        local: &'f Local,
        request: HttpRequest,
        payload: Payload,
    ) -> LocalBoxFuture<'f, HttpResponse>;

    /// Answers one that wants to leave HTTP. The connection ends behind the answer, unless this has a
    /// [`Takeover`](crate::Takeover) among its extensions.
    fn leave<'f>(&'f self, local: &'f Local, request: HttpRequest) -> LocalBoxFuture<'f, HttpResponse> {
        self.handle(local, request, Payload::None)
    }
}

/// Makes a worker's front, which may keep what is local.
pub type MakeFront = Arc<dyn Fn(&Arc<Local>) -> Rc<dyn Front> + Send + Sync>;

/// Makes a front for each worker: clients of other servers cannot be shared between threads.
#[derive(Clone)]
pub struct FrontFactory {
    /// Where the front listens.
    pub listen: std::net::SocketAddr,
    /// Where probes and metrics listen.
    pub internal_listen: std::net::SocketAddr,
    /// Certificates, when TLS is on.
    pub tls: Option<rustls::ServerConfig>,
    /// Makes one.
    pub make: MakeFront,
}

/// The door of a process without the gateway. Behind `/-/` it tells the gateway
/// what it needs to know, behind `/internal/` it answers the platform's own processes.
pub(crate) struct PlainDoor {
    pub(crate) key: InternalKey,
    pub(crate) internal: Arc<Router>,
}

impl Front for PlainDoor {
    fn handle<'f>(
        &'f self,
        local: &'f Local,
        request: HttpRequest,
        payload: Payload,
    ) -> LocalBoxFuture<'f, HttpResponse> {
        Box::pin(async move {
            let path = request.path();
            if path == "/-/ready" {
                return local.readiness.response().await;
            }
            if path == "/-/openapi.json" {
                let documents = local.documents.iter().map(|(name, document)| (*name, document));
                return HttpResponse::Ok().json(documents.collect::<BTreeMap<_, _>>());
            }
            let mut response = if path.starts_with("/internal/") {
                if !is_ours(&request, &self.key) {
                    return local.router.error(&request, &ApiError::not_found());
                }
                self.internal.dispatch(request, payload).await
            } else {
                local.router.dispatch(request, payload).await
            };
            if local.readiness.is_stopping() {
                // Whoever keeps this connection for later must not send on it any more.
                response
                    .head_mut()
                    .set_connection_type(actix_web::http::ConnectionType::Close);
            }
            response
        })
    }
}

fn is_ours(request: &HttpRequest, key: &InternalKey) -> bool {
    request
        .headers()
        .get(InternalKey::HEADER)
        .is_some_and(|value| key.matches(value.as_bytes()))
}
