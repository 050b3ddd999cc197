//! The listener that the sockets come in by.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use engineioxide::config::EngineIoConfig;
use engineioxide::service::EngineIoService;
use http::StatusCode;
use http_body_util::BodyExt;
use http_body_util::combinators::UnsyncBoxBody;
use hyper::server::conn::http1;
use hyper::service::Service;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;

use crate::engine::Engine;
use crate::sessions::{Asked, Sessions, Unanswered};
use crate::slim::slim;
use crate::websocket::READ_BUFFER;
use crate::{App, Request, Response, refuse};

/// What an HTTP connection reserves while it is one, in bytes: the least hyper takes.
const HTTP_BUFFER: usize = 8192;
/// How long a connection may rest until a request's head is there: longer than a gateway
/// keeps connections for later, so that none is closed on a request that is under way.
const HEAD_TIME: Duration = Duration::from_secs(45);
/// Where Engine.IO is.
pub(crate) const ENGINE_PATH: &str = "/socket.io";

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
            .req_path(ENGINE_PATH)
            .ping_interval(settings.ping_interval)
            .ping_timeout(settings.ping_timeout)
            .max_buffer_size(settings.queue)
            .max_payload(settings.payload_bytes as u64)
            .ws_read_buffer_size(READ_BUFFER)
            .ws_max_message_size(settings.payload_bytes)
            .ws_max_frame_size(settings.payload_bytes)
            .build();
        let engine = Arc::new(Engine::new(app.clone(), settings.connect_timeout));
        let sessions = engine.sessions.clone();
        let doors = EngineIoService::with_config_inner(Rest(app), engine, config);
        let seats = Seats {
            taken: Arc::default(),
            most: settings.most,
        };
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
            let Some(seat) = seats.take() else {
                tracing::debug!(most = settings.most, "a connection too many was closed");
                continue;
            };
            tune(&stream, settings.stalled);
            let held = Held {
                doors: doors.clone(),
                sessions: sessions.clone(),
                seats: seats.clone(),
                seat: Arc::new(seat),
            };
            tokio::spawn(hold(stream, held));
        }
    }
}

/// As many as connections may be open.
#[derive(Clone)]
struct Seats {
    taken: Arc<AtomicUsize>,
    most: usize,
}

impl Seats {
    fn take(&self) -> Option<Seat> {
        let seat = Seat(self.taken.clone());
        // Counted first, so that it is given back also where it is one too many.
        let before = self.taken.fetch_add(1, Ordering::Relaxed);
        (before < self.most).then_some(seat)
    }
}

/// One of them. A connection has it until it ends or is upgraded, and then whoever has the
/// request; a session that polls has one of its own, since its connections come and go.
pub(crate) struct Seat(Arc<AtomicUsize>);

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

async fn hold<A: App>(stream: TcpStream, held: Held<A>) {
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

/// One connection while it is HTTP.
struct Held<A: App> {
    doors: Doors<A>,
    sessions: Arc<Sessions<A::State>>,
    seats: Seats,
    seat: Arc<Seat>,
}

type Answer = http::Response<UnsyncBoxBody<Bytes, Infallible>>;

impl<A: App> Service<Request> for Held<A> {
    type Response = Answer;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Answer, Infallible>> + Send>>;

    fn call(&self, mut request: Request) -> Self::Future {
        let asked = Asked::of(&request);
        let seat = match asked {
            Asked::Other => Some(self.seat.clone()),
            Asked::Session => match self.seats.take() {
                Some(seat) => Some(Arc::new(seat)),
                None => return refused(StatusCode::SERVICE_UNAVAILABLE, "too many connections"),
            },
            // The transport would switch protocols first and look then; a gateway that
            // asks around needs the refusal.
            Asked::Upgrade(sid) if !self.sessions.knows(sid) => {
                return refused(StatusCode::BAD_REQUEST, UNKNOWN);
            }
            // Its session has one.
            Asked::Poll(_) | Asked::Upgrade(_) => None,
        };
        if let Some(seat) = seat {
            request.extensions_mut().insert(seat);
        }
        let unanswered = Unanswered::new(self.sessions.clone(), asked);
        let answer = Service::call(&self.doors, slim(request));
        Box::pin(async move {
            let answer = answer.await?;
            unanswered.answered();
            Ok(answer.map(BodyExt::boxed_unsync))
        })
    }
}

/// What Engine.IO says of a session that it does not know.
const UNKNOWN: &str = r#"{"code":1,"message":"Session ID unknown"}"#;

fn refused<E: Send + 'static>(
    status: StatusCode,
    sentence: &'static str,
) -> Pin<Box<dyn Future<Output = Result<Answer, E>> + Send>> {
    let refusal = refuse(status, sentence).map(BodyExt::boxed_unsync);
    Box::pin(std::future::ready(Ok(refusal)))
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
