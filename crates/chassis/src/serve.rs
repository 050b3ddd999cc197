//! The listener that requests come in by.

use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use actix_http::body::BoxBody;
use actix_http::{HttpService, HttpServiceBuilder, Request};
use actix_server::GracefulShutdownSignal;
use actix_service::{IntoServiceFactory as _, ServiceFactory, map_config};
use actix_web::dev::{AppConfig, Server, ServiceResponse};
use actix_web::{App, HttpRequest, web};

use crate::assemble::Doors;
use crate::leave::Leaving;
use crate::{Front, Local, RunError, Settings};

/// Slow senders of a head are cut off; slow senders of a body are the body reader's to judge.
const HEAD_TIME: Duration = Duration::from_secs(10);
const KEEP_ALIVE: Duration = Duration::from_secs(75);
/// How long a client may take to hear the end of a connection.
const LAST_WORDS: Duration = Duration::from_secs(5);
/// Connections that wait to be accepted.
const BACKLOG: i32 = 2048;

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
    let mut server = Server::build()
        .disable_signals()
        .shutdown_timeout(settings.http.grace_seconds);
    if settings.http.workers > 0 {
        server = server.workers(settings.http.workers);
    }
    let stopping = server.graceful_shutdown_signal();
    let listener = bind(doors.listen).map_err(refused)?;
    let address = listener.local_addr().map_err(refused)?;
    let server = match doors.tls.clone() {
        None => server.listen("http", listener, move || {
            let front = make(&local);
            let leaving = Leaving(app(&front, &local, Way::Leaves));
            let http = http(&stopping).upgrade(leaving);
            http.finish(app(&front, &local, Way::Stays)).tcp_auto_h2c()
        }),
        Some(tls) => server.listen("https", listener, move || {
            let front = make(&local);
            let leaving = Leaving(app(&front, &local, Way::Leaves));
            let http = http(&stopping).upgrade(leaving);
            http.finish(app(&front, &local, Way::Stays))
                .rustls_0_23(tls.clone())
        }),
    };
    Ok((server.map_err(refused)?.run(), address))
}

fn bind(address: SocketAddr) -> std::io::Result<std::net::TcpListener> {
    let socket = socket2::Socket::new(
        socket2::Domain::for_address(address),
        socket2::Type::STREAM,
        Some(socket2::Protocol::TCP),
    )?;
    // A process that follows another one does not wait until the old connections are forgotten.
    socket.set_reuse_address(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    Ok(socket.into())
}

fn http<T, S>(stopping: &GracefulShutdownSignal) -> HttpServiceBuilder<T, S>
where
    S: ServiceFactory<Request, Config = ()>,
    S::Error: Into<actix_http::Response<BoxBody>> + 'static,
    S::InitError: std::fmt::Debug,
    S::Response: Into<actix_http::Response<BoxBody>> + 'static,
    S::Service: 'static,
{
    let stopping = stopping.clone();
    HttpService::build()
        .client_request_timeout(HEAD_TIME)
        .client_disconnect_timeout(LAST_WORDS)
        .keep_alive(KEEP_ALIVE)
        .graceful_shutdown_signal(move || {
            let stopping = stopping.clone();
            async move { stopping.notified().await }
        })
}

/// Whether the connection can be had by who answers.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    Stays,
    Leaves,
}

/// What answers a worker's requests.
fn app(
    front: &Rc<dyn Front>,
    local: &Arc<Local>,
    way: Way,
) -> impl ServiceFactory<
    Request,
    Config = (),
    Response = ServiceResponse<BoxBody>,
    Error = actix_web::Error,
    InitError = (),
    Service: 'static,
> + use<> {
    let (front, local) = (front.clone(), local.clone());
    let app = App::new().default_service(web::to(move |request: HttpRequest, payload: web::Payload| {
        let (front, local) = (front.clone(), local.clone());
        async move {
            match way {
                Way::Stays => front.handle(&local, request, payload.into_inner()).await,
                Way::Leaves => front.leave(&local, request).await,
            }
        }
    }));
    map_config(app.into_factory(), |()| AppConfig::default())
}
