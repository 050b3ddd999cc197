//! A program that tells what it is told, and a client that knows frames only.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use futures_util::{SinkExt as _, StreamExt as _};
use http::StatusCode;
use parlour_sockets::{
    App, Conn, Door, Event, Gone, Listener, Packet, Request, Response, Settings, accept, refuse,
};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::sync::{Semaphore, mpsc};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};
use tokio_util::sync::{CancellationToken, DropGuard};

/// What the program was told.
#[derive(Debug)]
pub(crate) enum Told {
    Connected(Arc<Conn<()>>, Value),
    Said(String),
    Gone(String, Gone),
}

#[derive(Debug)]
pub(crate) struct Program {
    told: mpsc::UnboundedSender<Told>,
    /// What `hold` waits for.
    pub(crate) gate: Semaphore,
}

impl App for Program {
    type State = ();

    fn has_namespace(&self, name: &str) -> bool {
        matches!(name, "/" | "/custom")
    }

    async fn connected(self: &Arc<Self>, conn: Arc<Conn<()>>, auth: Value) {
        conn.send(&Packet::event_in(
            conn.namespace(),
            "auth",
            std::slice::from_ref(&auth),
            VecDeque::new(),
        ))
        .unwrap();
        self.told.send(Told::Connected(conn, auth)).ok();
    }

    async fn event(self: &Arc<Self>, conn: Arc<Conn<()>>, event: Event) {
        match event.name.as_str() {
            "hold" => self.gate.acquire().await.unwrap().forget(),
            "close" => conn.close(),
            "leave" => conn.disconnect(),
            _ => {}
        }
        if let Some(id) = event.ack {
            conn.acknowledge_all(id, &event.arguments, event.binaries).ok();
        }
        self.told.send(Told::Said(event.name)).ok();
    }

    fn disconnected(self: &Arc<Self>, conn: Arc<Conn<()>>, gone: Gone) {
        assert!(!conn.is_open());
        self.told.send(Told::Gone(conn.namespace().to_owned(), gone)).ok();
    }

    async fn request(self: &Arc<Self>, mut request: Request) -> Response {
        if request.uri().path() != "/ws/" {
            return refuse(StatusCode::NOT_FOUND, "not here");
        }
        let (answer, pending) = match accept(&mut request, Some("parlour"), 1000) {
            Ok(granted) => granted,
            Err(refusal) => return refusal,
        };
        tokio::spawn(async move {
            let mut socket = pending.open().await.unwrap();
            while let Some(Ok(message)) = socket.stream.next().await {
                if message.is_text() && socket.stream.send(message).await.is_err() {
                    return;
                }
            }
        });
        answer
    }
}

/// A listener with the program behind it.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    pub(crate) door: Door,
    pub(crate) program: Arc<Program>,
    told: mpsc::UnboundedReceiver<Told>,
    pub(crate) stop: CancellationToken,
    _guard: DropGuard,
}

/// What nothing happens with by itself.
pub(crate) fn calm() -> Settings {
    Settings {
        listen: ([127, 0, 0, 1], 0).into(),
        most: 1000,
        ping_interval: Duration::from_secs(25),
        ping_timeout: Duration::from_secs(20),
        queue: 16,
        payload_bytes: 100_000,
        stalled: Duration::from_mins(1),
        connect_timeout: None,
    }
}

impl Server {
    pub(crate) async fn start(settings: Settings) -> Self {
        let listener = Listener::bind(settings).await.unwrap();
        let (address, door) = (listener.address().unwrap(), listener.door());
        let (sender, told) = mpsc::unbounded_channel();
        let program = Arc::new(Program {
            told: sender,
            gate: Semaphore::new(0),
        });
        let stop = CancellationToken::new();
        tokio::spawn(listener.serve(program.clone(), stop.clone()));
        Self {
            address,
            door,
            program,
            told,
            _guard: stop.clone().drop_guard(),
            stop,
        }
    }

    pub(crate) async fn told(&mut self) -> Told {
        soon(self.told.recv()).await.unwrap()
    }

    pub(crate) async fn told_connected(&mut self) -> Arc<Conn<()>> {
        match self.told().await {
            Told::Connected(conn, _) => conn,
            other => panic!("{other:?}"),
        }
    }

    pub(crate) async fn told_said(&mut self, name: &str) {
        match self.told().await {
            Told::Said(said) => assert_eq!(said, name),
            other => panic!("{other:?}"),
        }
    }

    pub(crate) async fn told_gone(&mut self) -> (String, Gone) {
        match self.told().await {
            Told::Gone(namespace, gone) => (namespace, gone),
            other => panic!("{other:?}"),
        }
    }

    /// The program is told nothing of what was before: whoever comes now is the next.
    pub(crate) async fn told_nothing_more(&mut self) {
        let _next = Ws::enter(self.address).await;
        assert_eq!(self.told_connected().await.namespace(), "/");
    }
}

/// Whatever comes within bounds.
pub(crate) async fn soon<F: Future>(what: F) -> F::Output {
    tokio::time::timeout(Duration::from_secs(30), what).await.unwrap()
}

/// Waits until `condition` holds, within bounds.
pub(crate) async fn until<F: AsyncFnMut() -> bool>(mut condition: F) {
    soon(async {
        while !condition().await {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    })
    .await;
}

/// A WebSocket.
pub(crate) struct Ws(pub(crate) WebSocketStream<MaybeTlsStream<TcpStream>>);

impl Ws {
    pub(crate) async fn open(address: SocketAddr) -> Option<Self> {
        let there = format!("ws://{address}/socket.io/?EIO=4&transport=websocket");
        Some(Self(soon(connect_async(there)).await.ok()?.0))
    }

    /// A connection whose client is in the main namespace.
    pub(crate) async fn enter(address: SocketAddr) -> Self {
        let mut ws = Self::open(address).await.unwrap();
        ws.say("40").await;
        assert!(ws.hear().await.unwrap().starts_with("0{"));
        assert!(ws.hear().await.unwrap().starts_with("40{"));
        assert_eq!(ws.hear().await.unwrap(), "42[\"auth\",null]");
        ws
    }

    pub(crate) async fn say(&mut self, text: &str) {
        self.0.send(Message::text(text)).await.unwrap();
    }

    /// The next packet but for pings, which are answered; nothing when it has ended.
    pub(crate) async fn hear(&mut self) -> Option<String> {
        loop {
            match soon(self.0.next()).await {
                Some(Ok(Message::Text(text))) if text.as_str() == "2" => {
                    self.0.send(Message::text("3")).await.ok();
                }
                Some(Ok(Message::Text(text))) => return Some(text.to_string()),
                Some(Ok(Message::Close(_)) | Err(_)) | None => return None,
                Some(Ok(_)) => {}
            }
        }
    }
}

/// A session that polls, and has no connection between.
pub(crate) struct Polling {
    there: String,
    http: reqwest::Client,
}

impl Polling {
    pub(crate) async fn open(address: SocketAddr) -> Option<Self> {
        let http = reqwest::Client::builder()
            .no_proxy()
            .pool_max_idle_per_host(0)
            .build()
            .unwrap();
        let there = format!("http://{address}/socket.io/?EIO=4&transport=polling");
        let answer = soon(http.get(&there).send()).await.ok()?;
        let text = answer.text().await.ok()?;
        let handshake: Value = serde_json::from_str(text.strip_prefix('0')?).unwrap();
        let sid = handshake["sid"].as_str().unwrap();
        Some(Self {
            there: format!("{there}&sid={sid}"),
            http,
        })
    }

    pub(crate) async fn enter(address: SocketAddr) -> Self {
        let session = Self::open(address).await.unwrap();
        assert_eq!(session.say("40").await, 200);
        let mut heard = String::new();
        while !heard.contains("auth") {
            heard += &session.poll().await.1;
        }
        session
    }

    pub(crate) fn there(&self) -> &str {
        &self.there
    }

    pub(crate) async fn poll(&self) -> (u16, String) {
        let answer = sent(|| self.http.get(&self.there)).await;
        (answer.status().as_u16(), answer.text().await.unwrap())
    }

    pub(crate) async fn say(&self, payload: &str) -> u16 {
        let asking = || self.http.post(&self.there).body(payload.to_owned());
        sent(asking).await.status().as_u16()
    }
}

/// Connections may be one too many until the last one's end is seen.
async fn sent(asking: impl Fn() -> reqwest::RequestBuilder) -> reqwest::Response {
    soon(async {
        loop {
            if let Ok(answer) = asking().send().await {
                return answer;
            }
        }
    })
    .await
}

/// An event of the main namespace.
pub(crate) fn event(name: &str) -> String {
    format!("42{}", json!([name]))
}
