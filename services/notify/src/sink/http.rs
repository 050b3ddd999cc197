//! The sink's HTTP listener: the doubles of Twilio and of a push service, and the page.

use std::net::SocketAddr;
use std::sync::Arc;

use actix_web::{App, HttpServer, web};
use tokio_util::sync::CancellationToken;

use super::{Outbox, page, push, twilio};

/// Serves until `stop`; the answer is where.
pub(super) fn start(
    listen: SocketAddr,
    outbox: Arc<Outbox>,
    stop: CancellationToken,
) -> anyhow::Result<SocketAddr> {
    let double = web::Data::new(twilio::Double::new(outbox.clone())?);
    let push = web::Data::new(push::Service::new(outbox.clone()));
    let server = HttpServer::new(move || {
        App::new()
            .app_data(double.clone())
            .app_data(push.clone())
            .configure(twilio::routes)
            .configure(push::routes)
            .configure(page::routes(outbox.clone()))
    })
    .workers(1)
    .disable_signals()
    .shutdown_timeout(1)
    .bind(listen)
    .map_err(|error| anyhow::anyhow!("notify.sink.http_listen {listen}: {error}"))?;
    let address = server.addrs().first().copied().unwrap_or(listen);
    let server = server.run();
    let handle = server.handle();
    tokio::spawn(server);
    tokio::spawn(async move {
        stop.cancelled().await;
        handle.stop(true).await;
    });
    Ok(address)
}
