//! The operator's listener: probes and metrics. Bound to an address that nobody outside reaches.

use std::net::SocketAddr;

use actix_web::{App, HttpResponse, HttpServer, dev::Server, web};
use parlour_telemetry::Metrics;

use crate::{Page, Readiness};

/// Serves `/live`, `/ready`, `/started`, `/metrics`, and the services' pages.
pub(crate) fn serve(
    listen: SocketAddr,
    readiness: Readiness,
    metrics: Option<Metrics>,
    pages: Vec<Page>,
) -> std::io::Result<(Server, SocketAddr)> {
    let server = HttpServer::new(move || {
        App::new()
            .app_data(web::Data::new(readiness.clone()))
            .app_data(web::Data::new(metrics.clone()))
            .route(
                "/live",
                web::get().to(|| async { HttpResponse::Ok().body("live\n") }),
            )
            .route("/ready", web::get().to(ready))
            .route("/started", web::get().to(started))
            .route("/metrics", web::get().to(render))
            .configure(|config| pages.iter().for_each(|page| page(config)))
    })
    .workers(1)
    .disable_signals()
    .bind(listen)?;
    let address = server.addrs().first().copied().unwrap_or(listen);
    Ok((server.run(), address))
}

async fn ready(readiness: web::Data<Readiness>) -> HttpResponse {
    readiness.response().await
}

async fn started(readiness: web::Data<Readiness>) -> HttpResponse {
    if readiness.is_started() {
        HttpResponse::Ok().body("started\n")
    } else {
        HttpResponse::ServiceUnavailable().body("starting\n")
    }
}

async fn render(metrics: web::Data<Option<Metrics>>) -> HttpResponse {
    let text = metrics.as_ref().as_ref().map(Metrics::render).unwrap_or_default();
    HttpResponse::Ok()
        .content_type("text/plain; version=0.0.4; charset=utf-8")
        .body(text)
}
