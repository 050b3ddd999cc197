//! The listener that requests come in by.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use actix_web::dev::Server;
use actix_web::{App, HttpRequest, HttpServer, web};

use crate::assemble::Doors;
use crate::{Local, RunError, Settings};

/// Binds it and makes a front for each worker.
pub(crate) fn serve(
    settings: &Settings,
    doors: &Doors,
    local: &Arc<Local>,
) -> Result<(Server, SocketAddr), RunError> {
    let refused = |cause| RunError::Listen {
        address: doors.listen,
        cause,
    };
    let (make, local) = (doors.make.clone(), local.clone());
    let mut server = HttpServer::new(move || {
        let front = make(&local);
        let local = local.clone();
        App::new().default_service(web::to(move |request: HttpRequest, payload: web::Payload| {
            let (front, local) = (front.clone(), local.clone());
            async move { front.handle(&local, request, payload.into_inner()).await }
        }))
    })
    .disable_signals()
    .shutdown_timeout(settings.http.grace_seconds)
    // Slow senders of a head are cut off; slow senders of a body are the body reader's to judge.
    .client_request_timeout(Duration::from_secs(10))
    .client_disconnect_timeout(Duration::from_secs(5))
    .keep_alive(Duration::from_secs(75));
    if settings.http.workers > 0 {
        server = server.workers(settings.http.workers);
    }
    let server = match doors.tls.clone() {
        Some(tls) => server.bind_rustls_0_23(doors.listen, tls),
        None => server.bind_auto_h2c(doors.listen),
    }
    .map_err(refused)?;
    let address = server.addrs().first().copied().unwrap_or(doors.listen);
    Ok((server.run(), address))
}
