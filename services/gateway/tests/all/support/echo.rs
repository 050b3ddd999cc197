//! A service that tells what it was told.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use actix_web::dev::ServerHandle;
use actix_web::{App, HttpRequest, HttpResponse, HttpServer, web};
use bytes::Bytes;
use futures_util::StreamExt as _;
use serde_json::{Value, json};

#[derive(Default)]
pub(crate) struct State {
    pub(crate) stopping: AtomicBool,
    pub(crate) requests: AtomicUsize,
    probes: AtomicUsize,
    documents: AtomicUsize,
    pub(crate) name: String,
}

pub(crate) struct Echo {
    pub(crate) address: SocketAddr,
    pub(crate) state: Arc<State>,
    handle: ServerHandle,
}

impl Echo {
    pub(crate) async fn start(name: &str) -> Self {
        Self::start_at(name, ([127, 0, 0, 1], 0).into()).await
    }

    #[expect(clippy::unused_async, reason = "a server is made within a runtime")]
    pub(crate) async fn start_at(name: &str, address: SocketAddr) -> Self {
        let state = Arc::new(State {
            name: name.to_owned(),
            ..State::default()
        });
        let shared = web::Data::from(state.clone());
        let server = HttpServer::new(move || {
            App::new()
                .app_data(shared.clone())
                .app_data(web::PayloadConfig::new(100 << 20))
                .route("/-/ready", web::get().to(ready))
                .route("/-/openapi.json", web::get().to(document))
                .route("/api/media/count", web::post().to(count))
                .route("/api/media/large", web::get().to(large))
                .route("/api/media/none", web::get().to(none))
                .route("/api/media/text", web::get().to(text))
                .route("/api/media/text", web::head().to(text))
                .default_service(web::to(echo))
        })
        .workers(1)
        .disable_signals()
        .shutdown_timeout(5)
        .bind(address)
        .unwrap();
        let address = server.addrs()[0];
        let server = server.run();
        let handle = server.handle();
        tokio::spawn(server);
        Self {
            address,
            state,
            handle,
        }
    }

    /// As the chassis stops: it says so, goes on for a while, finishes.
    pub(crate) async fn stop(self) {
        self.state.stopping.store(true, Ordering::Relaxed);
        tokio::time::sleep(Duration::from_millis(500)).await;
        self.handle.stop(true).await;
    }

    pub(crate) fn requests(&self) -> usize {
        self.state.requests.load(Ordering::Relaxed)
    }

    /// How often it was asked whether it is ready.
    pub(crate) fn probes(&self) -> usize {
        self.state.probes.load(Ordering::Relaxed)
    }

    /// How often it was asked for its document.
    pub(crate) fn documents(&self) -> usize {
        self.state.documents.load(Ordering::Relaxed)
    }
}

async fn ready(state: web::Data<State>) -> HttpResponse {
    state.probes.fetch_add(1, Ordering::Relaxed);
    let ready = !state.stopping.load(Ordering::Relaxed);
    let report = json!({ "ready": ready, "services": { "orders": "active", "media": "active" } });
    if ready {
        HttpResponse::Ok().json(report)
    } else {
        HttpResponse::ServiceUnavailable().json(report)
    }
}

async fn document(state: web::Data<State>) -> HttpResponse {
    state.documents.fetch_add(1, Ordering::Relaxed);
    let operation = |id: &str, reads: bool| {
        json!({ "operationId": id, "x-rate-class": "none", "x-reads-tokens": reads,
                "responses": { "200": { "description": "fine" } } })
    };
    HttpResponse::Ok().json(json!({ "media": {
        "openapi": "3.1.0",
        "paths": {
            "/api/media/files/{id}": { "get": operation("file", true), "put": operation("change", true) },
            "/api/media/open/{id}": { "get": operation("open", false), "post": operation("open_post", false) },
            "/api/media/count": { "post": operation("count", false) },
            "/api/media/large": { "get": operation("large", false) },
        },
        "components": { "schemas": { "Page": { "type": "object" } } },
    } }))
}

async fn echo(request: HttpRequest, body: Bytes, state: web::Data<State>) -> HttpResponse {
    state.requests.fetch_add(1, Ordering::Relaxed);
    let headers: Vec<Value> = request
        .headers()
        .iter()
        .map(|(name, value)| json!([name.as_str(), value.to_str().unwrap_or("?")]))
        .collect();
    HttpResponse::Ok()
        .insert_header(("x-served-by", state.name.as_str()))
        .insert_header(("x-parlour-secret", "1"))
        .insert_header(("access-control-allow-origin", "*"))
        .json(json!({
            "served_by": state.name,
            "method": request.method().as_str(),
            "target": request.uri().to_string(),
            "headers": headers,
            "body": String::from_utf8_lossy(&body),
        }))
}

async fn count(mut body: web::Payload) -> HttpResponse {
    let mut bytes = 0_u64;
    while let Some(piece) = body.next().await {
        bytes += piece.unwrap().len() as u64;
    }
    HttpResponse::Ok().json(json!({ "bytes": bytes }))
}

/// 256 MiB in pieces.
async fn large() -> HttpResponse {
    static PIECE: [u8; 65536] = [7; 65536];
    let pieces =
        futures_util::stream::iter((0..4096).map(|_| Ok::<_, std::io::Error>(Bytes::from_static(&PIECE))));
    HttpResponse::Ok()
        .content_type("application/octet-stream")
        .streaming(pieces)
}

async fn none() -> HttpResponse {
    HttpResponse::NotModified()
        .insert_header(("etag", "\"a\""))
        .insert_header(("content-length", "17"))
        .finish()
}

async fn text() -> HttpResponse {
    HttpResponse::Ok()
        .insert_header(("etag", "\"a\""))
        .json(json!({ "text": "parlour ".repeat(1000) }))
}
