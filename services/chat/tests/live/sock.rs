//! A client of Socket.IO that hides nothing: every packet as it came.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::Duration;

use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tokio::sync::mpsc;
use tokio::task::AbortHandle;
use tokio::time::timeout;
use tokio_tungstenite::connect_async;
use tokio_tungstenite::tungstenite::Message;

/// How long a test waits for what has to come.
const PATIENCE: Duration = Duration::from_secs(20);

/// What came.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Came {
    /// An event and its argument.
    Event(String, Value),
    /// The answer to an emit.
    Ack(u64, Value),
    /// The server sent us out of the namespace.
    Disconnected,
    /// The connection ended.
    Closed,
}

/// One connection.
pub(crate) struct Sock {
    out: mpsc::UnboundedSender<Message>,
    came: mpsc::UnboundedReceiver<Came>,
    /// What came while something else was waited for.
    kept: VecDeque<Came>,
    asked: u64,
    tasks: [AbortHandle; 2],
}

impl Drop for Sock {
    /// The connection breaks, as when a browser is closed.
    fn drop(&mut self) {
        for task in &self.tasks {
            task.abort();
        }
    }
}

impl Sock {
    /// Connects, and comes into the main namespace with a token.
    pub(crate) async fn connect(address: SocketAddr, token: &str) -> Self {
        let url = format!("ws://{address}/socket.io/?EIO=4&transport=websocket");
        let (socket, _) = connect_async(url).await.unwrap();
        let (mut write, mut read) = socket.split();
        let (out, mut waiting) = mpsc::unbounded_channel();
        let (told, came) = mpsc::unbounded_channel();
        let pong = out.clone();
        let pen = tokio::spawn(async move {
            while let Some(message) = waiting.recv().await {
                if write.send(message).await.is_err() {
                    return;
                }
            }
            write.close().await.ok();
        });
        let reading = tokio::spawn(async move {
            while let Some(Ok(message)) = read.next().await {
                if let Message::Text(text) = message {
                    match text.as_str() {
                        "2" => drop(pong.send(Message::text("3"))),
                        text => {
                            if let Some(read) = parse(text) {
                                told.send(read).ok();
                            }
                        }
                    }
                }
            }
            told.send(Came::Closed).ok();
        });
        let auth = json!({ "token": token });
        out.send(Message::text(format!("40{auth}"))).unwrap();
        Self {
            out,
            came,
            kept: VecDeque::new(),
            asked: 0,
            tasks: [pen.abort_handle(), reading.abort_handle()],
        }
    }

    /// Says something.
    pub(crate) fn emit(&self, event: &str, argument: &Value) {
        self.raw(&format!("42{}", json!([event, argument])));
    }

    /// Sends a packet as it is.
    pub(crate) fn raw(&self, packet: &str) {
        // A connection that has ended is what some tests wait for.
        self.out.send(Message::text(packet.to_owned())).ok();
    }

    /// Says something and waits for its answer; what comes meanwhile is kept.
    pub(crate) async fn call(&mut self, event: &str, argument: Value) -> Value {
        self.asked += 1;
        let id = self.asked;
        self.raw(&format!("42{id}{}", json!([event, argument])));
        let found = self
            .wait(|came| matches!(came, Came::Ack(number, _) if *number == id))
            .await;
        match found {
            Came::Ack(_, answer) => answer,
            other => panic!("{other:?}"),
        }
    }

    /// The same, which has to succeed: its data.
    pub(crate) async fn done(&mut self, event: &str, argument: Value) -> Value {
        let answer = self.call(event, argument).await;
        assert_eq!(answer["success"], true, "{event}: {answer}");
        answer["data"].clone()
    }

    /// The same, which has to be refused: its code.
    pub(crate) async fn refused(&mut self, event: &str, argument: Value) -> String {
        let answer = self.call(event, argument).await;
        assert_eq!(answer["success"], false, "{event}: {answer}");
        let code = answer["code"].as_str().unwrap().to_owned();
        let told = self.next("error").await;
        assert_eq!((&told["code"], &told["event"]), (&json!(code), &json!(event)));
        code
    }

    /// The next event of a name; others are kept.
    pub(crate) async fn next(&mut self, event: &str) -> Value {
        let found = self
            .wait(|came| matches!(came, Came::Event(name, _) if name == event))
            .await;
        match found {
            Came::Event(_, argument) => argument,
            other => panic!("{other:?}"),
        }
    }

    /// Waits until the connection has ended.
    pub(crate) async fn closed(&mut self) {
        self.wait(|came| *came == Came::Closed).await;
    }

    /// Everything that has come of this name, up to what this connection says next itself:
    /// the server answers one thing after the other, on one connection.
    pub(crate) async fn all(&mut self, event: &str) -> Vec<Value> {
        self.call("leave_chat", json!({ "session_id": uuid::Uuid::nil() }))
            .await;
        let mut found = Vec::new();
        self.kept.retain(|came| match came {
            Came::Event(name, argument) if name == event => {
                found.push(argument.clone());
                false
            }
            _ => true,
        });
        found
    }

    async fn wait(&mut self, wanted: impl Fn(&Came) -> bool) -> Came {
        if let Some(place) = self.kept.iter().position(&wanted) {
            return self.kept.remove(place).unwrap();
        }
        loop {
            let came = timeout(PATIENCE, self.came.recv()).await;
            let came = came.unwrap_or_else(|_| panic!("it did not come; this did: {:?}", self.kept));
            let came = came.unwrap();
            if wanted(&came) {
                return came;
            }
            self.kept.push_back(came);
        }
    }
}

fn parse(text: &str) -> Option<Came> {
    if text == "41" {
        return Some(Came::Disconnected);
    }
    if let Some(rest) = text.strip_prefix("43") {
        let (id, answer) = rest.split_at(rest.find('[')?);
        let answer: Value = serde_json::from_str(answer).ok()?;
        return Some(Came::Ack(id.parse().ok()?, answer[0].clone()));
    }
    let event: Value = serde_json::from_str(text.strip_prefix("42")?).ok()?;
    Some(Came::Event(event[0].as_str()?.to_owned(), event[1].clone()))
}

/// A client that joined a conversation and reads nothing from then on. It is connected for
/// as long as what is answered is held.
pub(crate) async fn stuck(address: SocketAddr, token: &str, session: uuid::Uuid) -> impl Sized {
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(4096).unwrap();
    let stream = socket.connect(address).await.unwrap();
    let url = format!("ws://{address}/socket.io/?EIO=4&transport=websocket");
    let (mut socket, _) = tokio_tungstenite::client_async(url, stream).await.unwrap();
    let auth = json!({ "token": token });
    socket.send(Message::text(format!("40{auth}"))).await.unwrap();
    loop {
        let message = socket.next().await.unwrap().unwrap();
        if message.to_text().unwrap().contains("authenticated") {
            break;
        }
    }
    let join = json!(["join_chat", { "session_id": session }]);
    socket.send(Message::text(format!("42{join}"))).await.unwrap();
    socket
}
