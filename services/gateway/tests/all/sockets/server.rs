//! The program behind the sockets: it says everything back.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use parlour_chassis::Process;
use parlour_sockets::{App, Conn, Event, Gone, Listener, Packet, Request, Response, Settings, refuse};
use serde_json::{Value, json};
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::support::{gateway_to, start, url};

#[derive(Debug)]
struct Echo;

impl App for Echo {
    type State = ();

    fn has_namespace(&self, name: &str) -> bool {
        matches!(name, "/" | "/custom")
    }

    async fn connected(self: &Arc<Self>, conn: Arc<Conn<()>>, auth: Value) {
        let auth = if auth.is_null() { json!({}) } else { auth };
        let packet = Packet::event_in(conn.namespace(), "auth", &[auth], VecDeque::new());
        conn.send(&packet).ok();
    }

    async fn event(self: &Arc<Self>, conn: Arc<Conn<()>>, event: Event) {
        match event.ack {
            Some(id) => conn.acknowledge_all(id, &event.arguments, event.binaries),
            None => conn.send(&Packet::event_in(
                conn.namespace(),
                &format!("{}-back", event.name),
                &event.arguments,
                event.binaries,
            )),
        }
        .ok();
    }

    fn disconnected(self: &Arc<Self>, _: Arc<Conn<()>>, _: Gone) {}

    async fn request(self: &Arc<Self>, _: Request) -> Response {
        refuse(http::StatusCode::NOT_FOUND, "not here")
    }
}

/// How clients come to the listener.
#[derive(Clone, Copy)]
pub(super) enum Way {
    Direct,
    Gateway,
}

/// How often clients are asked whether they are there.
#[derive(Clone, Copy)]
pub(super) enum Pace {
    /// As the suites want it.
    Published,
    /// As for people, so that nothing happens by itself.
    Calm,
}

/// A listener, and what is in front of it.
pub(super) struct Server {
    pub(super) address: SocketAddr,
    _gateway: Option<Process>,
    _stop: DropGuard,
}

impl Server {
    pub(super) async fn start(way: Way, pace: Pace) -> Self {
        let (listening, stop) = listen(pace).await;
        let gateway = match way {
            Way::Direct => None,
            Way::Gateway => Some(gateway_to("sockets", listening).await),
        };
        Self {
            address: gateway.as_ref().map_or(listening, |gateway| gateway.address),
            _gateway: gateway,
            _stop: stop,
        }
    }
}

/// Two listeners behind one gateway, which also is there for another one to be asked.
pub(super) async fn replicas() -> ([SocketAddr; 2], [DropGuard; 2]) {
    let (one, stop_one) = listen(Pace::Calm).await;
    let (two, stop_two) = listen(Pace::Calm).await;
    ([one, two], [stop_one, stop_two])
}

/// A gateway in front of them.
pub(super) async fn in_front_of(replicas: &[SocketAddr]) -> Process {
    let urls: Vec<String> = replicas.iter().copied().map(url).collect();
    let settings = [("gateway.upstreams.sockets", &*urls.join(","))];
    start(&[parlour_gateway::service()], &settings).await
}

async fn listen(pace: Pace) -> (SocketAddr, DropGuard) {
    let (ping_interval, ping_timeout, connect_timeout) = match pace {
        Pace::Published => (300, 200, 10_000),
        Pace::Calm => (25_000, 20_000, 1000),
    };
    let listener = Listener::bind(Settings {
        listen: ([127, 0, 0, 1], 0).into(),
        most: 1000,
        ping_interval: Duration::from_millis(ping_interval),
        ping_timeout: Duration::from_millis(ping_timeout),
        queue: 64,
        payload_bytes: 1_000_000,
        stalled: Duration::from_secs(20),
        connect_timeout: Some(Duration::from_millis(connect_timeout)),
    })
    .await
    .unwrap();
    let address = listener.address().unwrap();
    let stop = CancellationToken::new();
    tokio::spawn(listener.serve(Arc::new(Echo), stop.clone()));
    (address, stop.drop_guard())
}
