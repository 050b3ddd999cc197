//! The listener that the sockets come in by.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use engineioxide::config::EngineIoConfig;
use engineioxide::service::EngineIoService;
use hyper::server::conn::http1;
use hyper::service::Service;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;

use crate::engine::Engine;
use crate::slim::slim;
use crate::{App, Request, Response};

/// What an HTTP connection reserves while it is one, in bytes: the least hyper takes.
const HTTP_BUFFER: usize = 8192;
/// How long a request's head may take.
const HEAD_TIME: Duration = Duration::from_secs(10);

/// How connections are held.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Where.
    pub listen: SocketAddr,
    /// Connections at the same time.
    pub most: usize,
    /// How often a client is asked whether it is still there, and how long it may take.
    pub ping_interval: Duration,
    /// See there.
    pub ping_timeout: Duration,
    /// Packets that may wait for a client.
    pub queue: usize,
    /// The largest thing a client may say, in bytes.
    pub payload_bytes: usize,
    /// How long a client may leave unread what was sent before its connection is cut.
    pub stalled: Duration,
    /// How long a client may take to come into a namespace; 10 s when none is given.
    pub connect_timeout: Option<Duration>,
}

/// A bound listener.
pub struct Listener {
    listener: TcpListener,
    settings: Settings,
}

impl Listener {
    /// Binds the address.
    pub async fn bind(settings: Settings) -> std::io::Result<Self> {
        let listener = TcpListener::bind(settings.listen).await?;
        Ok(Self { listener, settings })
    }

    /// Where it listens.
    pub fn address(&self) -> std::io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Lets clients in until `stop`. Those that are in stay.
    pub async fn serve<A: App>(self, app: Arc<A>, stop: CancellationToken) {
        let settings = self.settings;
        let config = EngineIoConfig::builder()
            .req_path("/socket.io")
            .ping_interval(settings.ping_interval)
            .ping_timeout(settings.ping_timeout)
            .max_buffer_size(settings.queue)
            .max_payload(settings.payload_bytes as u64)
            .ws_max_message_size(settings.payload_bytes)
            .ws_max_frame_size(settings.payload_bytes)
            .build();
        let engine = Arc::new(Engine::new(app.clone(), settings.connect_timeout));
        let doors = EngineIoService::with_config_inner(Rest(app), engine, config);
        let open = Arc::new(AtomicUsize::new(0));
        loop {
            let Some(accepted) = stop.run_until_cancelled(self.listener.accept()).await else {
                return;
            };
            let stream = match accepted {
                Ok((stream, _)) => stream,
                Err(error) => {
                    // Out of descriptors, most likely: some are about to be given back.
                    tracing::warn!(%error, "a connection could not be taken");
                    tokio::time::sleep(Duration::from_millis(100)).await;
                    continue;
                }
            };
            let seat = Seat::take(&open);
            if open.load(Ordering::Relaxed) > settings.most {
                tracing::debug!(most = settings.most, "a connection too many was closed");
                continue;
            }
            tune(&stream, settings.stalled);
            tokio::spawn(hold(stream, doors.clone(), seat));
        }
    }
}

/// One of the connections that may be open. Whoever keeps the request keeps it.
pub(crate) struct Seat(Arc<AtomicUsize>);

impl Seat {
    fn take(open: &Arc<AtomicUsize>) -> Self {
        open.fetch_add(1, Ordering::Relaxed);
        Self(open.clone())
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Small packets go out at once, and whoever reads nothing for too long is cut off by the
/// system, whatever waits in our buffers.
fn tune(stream: &TcpStream, stalled: Duration) {
    stream.set_nodelay(true).ok();
    #[cfg(target_os = "linux")]
    socket2::SockRef::from(stream)
        .set_tcp_user_timeout(Some(stalled))
        .ok();
    #[cfg(not(target_os = "linux"))]
    let _ = stalled;
}

async fn hold<A: App>(stream: TcpStream, doors: Doors<A>, seat: Seat) {
    let seat = Arc::new(seat);
    let held = Held {
        doors,
        seat: seat.clone(),
    };
    let served = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIME)
        .max_buf_size(HTTP_BUFFER)
        .serve_connection(TokioIo::new(stream), held)
        .with_upgrades()
        .await;
    if let Err(error) = served {
        tracing::debug!(%error, "a connection ended early");
    }
}

/// What a connection asks, with the seat that it sits on for as long as it is open,
/// upgraded or not.
struct Held<A: App> {
    doors: Doors<A>,
    seat: Arc<Seat>,
}

impl<A: App> Service<Request> for Held<A> {
    type Response = <Doors<A> as Service<Request>>::Response;
    type Error = Infallible;
    type Future = <Doors<A> as Service<Request>>::Future;

    fn call(&self, mut request: Request) -> Self::Future {
        request.extensions_mut().insert(self.seat.clone());
        Service::call(&self.doors, slim(request))
    }
}

/// Everything that is served.
type Doors<A> = EngineIoService<Engine<A>, Rest<A>>;

/// What is not Socket.IO's.
struct Rest<A>(Arc<A>);

impl<A> Clone for Rest<A> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<A: App> Service<Request> for Rest<A> {
    type Response = Response;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response, Infallible>> + Send>>;

    fn call(&self, request: Request) -> Self::Future {
        let app = self.0.clone();
        Box::pin(async move { Ok(app.request(request).await) })
    }
}
