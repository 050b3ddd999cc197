//! The listener that the sockets come in by.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use futures_util::{FutureExt as _, TryFutureExt as _};
use http::header::CONNECTION;
use http::{Extensions, HeaderName, HeaderValue, StatusCode};
use hyper::server::conn::http1;
use hyper::service::Service;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::asked::{Asked, BAD_REQUEST, UNKNOWN_SESSION};
use crate::door::{Door, Handed, Kept};
use crate::engine::Engine;
use crate::link::Transport;
use crate::polling::wrong;
use crate::slim::slim;
use crate::wire::Wire;
use crate::{App, Request, Response, accept, refuse};

/// What an HTTP connection reserves while it is one, in bytes: the least hyper takes.
const HTTP_BUFFER: usize = 8192;
/// How long a connection may rest until a request's head is there: longer than a gateway
/// keeps connections for later, so that none is closed on a request that is under way.
const HEAD_TIME: Duration = Duration::from_secs(45);
/// The header by which a request is found in the logs.
static REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
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
    bound: TcpListener,
    door: Door,
    handed: mpsc::Receiver<Handed>,
    settings: Settings,
}

impl Listener {
    /// Binds the address.
    pub async fn bind(settings: Settings) -> std::io::Result<Self> {
        let bound = TcpListener::bind(settings.listen).await?;
        let (door, handed) = Door::new();
        Ok(Self {
            bound,
            door,
            handed,
            settings,
        })
    }

    /// Where it listens.
    pub fn address(&self) -> std::io::Result<SocketAddr> {
        self.bound.local_addr()
    }

    /// The other way in.
    pub fn door(&self) -> Door {
        self.door.clone()
    }

    /// Lets clients in until `stop`. Those that are in stay.
    pub async fn serve<A: App>(mut self, app: Arc<A>, stop: CancellationToken) {
        let settings = self.settings.clone();
        let engine = Engine::new(app, settings.clone());
        let seats = Seats {
            taken: Arc::default(),
            most: settings.most,
        };
        while let Some(came) = stop.run_until_cancelled(self.next()).await {
            let came = match came {
                Ok(came) => came,
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
            tune(&came.wire.stream, settings.stalled);
            let held = Held {
                engine: engine.clone(),
                seats: seats.clone(),
                seat: Arc::new(seat),
                kept: came.kept,
            };
            tokio::spawn(hold(came.wire, held));
        }
    }

    /// The next connection, whichever way it comes.
    async fn next(&mut self) -> std::io::Result<Came> {
        let (stream, said, kept) = tokio::select! {
            accepted = self.bound.accept() => (accepted?.0, Bytes::new(), None),
            // There is always a sender: this has one.
            Some(handed) = self.handed.recv() => {
                let kept = Kept(handed.held.into());
                (TcpStream::from_std(handed.stream)?, handed.said, Some(kept))
            }
        };
        Ok(Came {
            wire: Wire { said, stream },
            kept,
        })
    }
}

struct Came {
    wire: Wire,
    kept: Option<Kept>,
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

/// One of them. A connection has it until it ends or is upgraded, and then its WebSocket; a
/// session that polls has one of its own, since its connections come and go.
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

async fn hold<A: App>(wire: Wire, held: Held<A>) {
    let served = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIME)
        .max_buf_size(HTTP_BUFFER)
        .serve_connection(TokioIo::new(wire), held)
        .with_upgrades()
        .await;
    if let Err(error) = served {
        tracing::debug!(%error, "a connection ended early");
    }
}

/// One connection while it is HTTP.
struct Held<A: App> {
    engine: Arc<Engine<A>>,
    seats: Seats,
    seat: Arc<Seat>,
    /// Of one that was handed over, which is for one request: what would follow it has not been looked at by
    /// whoever accepted it.
    kept: Option<Kept>,
}

type Answering = Pin<Box<dyn Future<Output = Result<Response, Infallible>> + Send>>;

impl<A: App> Service<Request> for Held<A> {
    type Response = Response;
    type Error = Infallible;
    type Future = Answering;

    fn call(&self, request: Request) -> Answering {
        let id = request.headers().get(&REQUEST_ID).cloned();
        let answering = self.answer(request);
        let once = self.kept.is_some();
        Box::pin(answering.map_ok(move |mut response| {
            let ends = once && response.status() != StatusCode::SWITCHING_PROTOCOLS;
            let headers = response.headers_mut();
            headers.extend(id.map(|id| (REQUEST_ID.clone(), id)));
            if ends {
                headers.insert(CONNECTION, HeaderValue::from_static("close"));
            }
            response
        }))
    }
}

impl<A: App> Held<A> {
    fn answer(&self, mut request: Request) -> Answering {
        let engine = self.engine.clone();
        if let Some(kept) = &self.kept {
            request.extensions_mut().insert(kept.clone());
        }
        match Asked::of(&request) {
            Asked::Other => {
                request.extensions_mut().insert(self.seat.clone());
                Box::pin(async move { Ok(engine.app.request(slim(request)).await) })
            }
            Asked::Wrong(sentence) => answer(wrong(sentence)),
            Asked::Session => match self.seats.take() {
                Some(seat) => answer(engine.open(slim(request).into_parts().0, seat)),
                None => answer(refuse(StatusCode::SERVICE_UNAVAILABLE, "too many connections")),
            },
            Asked::Poll(sid) => match engine.poll(&sid) {
                Ok(answer) => Box::pin(answer.map(Ok)),
                Err(refusal) => answer(refusal),
            },
            Asked::Said(sid) => match engine.said(&sid, request) {
                Ok(answer) => Box::pin(answer.map(Ok)),
                Err(refusal) => answer(refusal),
            },
            Asked::Socket => {
                request.extensions_mut().insert(self.seat.clone());
                let most = engine.settings.payload_bytes;
                let (granted, pending) = match accept(&mut request, None, most) {
                    Ok(granted) => granted,
                    Err(refusal) => return answer(refusal),
                };
                // The socket has the seat, whoever keeps the request.
                *request.extensions_mut() = Extensions::new();
                tokio::spawn(engine.socket(slim(request).into_parts().0, pending));
                answer(granted)
            }
            Asked::Upgrade(sid) => {
                let Some(link) = engine.find(&sid) else {
                    return answer(wrong(UNKNOWN_SESSION));
                };
                if link.transport() != Transport::Polling {
                    return answer(wrong(BAD_REQUEST));
                }
                // Its session has a seat.
                match accept(&mut request, None, engine.settings.payload_bytes) {
                    Ok((granted, pending)) => {
                        tokio::spawn(engine.upgrade(link, pending));
                        answer(granted)
                    }
                    Err(refusal) => answer(refusal),
                }
            }
        }
    }
}

fn answer(response: Response) -> Answering {
    Box::pin(std::future::ready(Ok(response)))
}
