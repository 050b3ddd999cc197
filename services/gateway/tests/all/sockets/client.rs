//! A client that knows Engine.IO's frames and nothing more.

use std::net::SocketAddr;
use std::time::Duration;

use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::Value;
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

use crate::support::client;

/// Between the packets of one answer.
pub(super) const SEPARATOR: char = '\u{1e}';
/// How long anything may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// Whatever comes within bounds.
pub(super) async fn soon<F: Future>(what: F) -> F::Output {
    tokio::time::timeout(PATIENCE, what).await.unwrap()
}

/// A session that polls.
pub(super) struct Polling {
    pub(super) address: SocketAddr,
    pub(super) sid: String,
    http: reqwest::Client,
}

impl Polling {
    pub(super) async fn open(address: SocketAddr) -> Self {
        let http = client();
        let there = format!("http://{address}/socket.io/?EIO=4&transport=polling");
        let answer = http.get(there).send().await.unwrap().text().await.unwrap();
        let handshake: Value = serde_json::from_str(answer.strip_prefix('0').unwrap()).unwrap();
        let sid = handshake["sid"].as_str().unwrap().to_owned();
        Self { address, sid, http }
    }

    /// A session whose client is in the main namespace.
    pub(super) async fn enter(address: SocketAddr) -> Self {
        let session = Self::open(address).await;
        assert_eq!(session.say("40").await, (200, "ok".to_owned()));
        let heard = session.hear(2).await;
        assert!(heard[0].starts_with("40{\"sid\":"), "{heard:?}");
        assert_eq!(heard[1], "42[\"auth\",{}]");
        session
    }

    fn there(&self) -> String {
        let Self { address, sid, .. } = self;
        format!("http://{address}/socket.io/?EIO=4&transport=polling&sid={sid}")
    }

    pub(super) async fn poll(&self) -> (u16, String) {
        let answer = soon(self.http.get(self.there()).send()).await.unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    }

    /// The same without the server's questions whether anybody is there, which are
    /// answered.
    pub(super) async fn listen(&self) -> (u16, String) {
        loop {
            let (status, payload) = self.poll().await;
            let packets: Vec<&str> = payload.split(SEPARATOR).collect();
            let rest: Vec<&str> = packets.iter().copied().filter(|one| *one != "2").collect();
            if rest.len() < packets.len() {
                self.say("3").await;
            }
            if !rest.is_empty() {
                return (status, rest.join(&SEPARATOR.to_string()));
            }
        }
    }

    pub(super) async fn say(&self, payload: &str) -> (u16, String) {
        let asking = self.http.post(self.there()).body(payload.to_owned());
        let answer = soon(asking.send()).await.unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    }

    /// So many packets, over as many polls as it takes.
    pub(super) async fn hear(&self, count: usize) -> Vec<String> {
        let mut heard = Vec::new();
        while heard.len() < count {
            let (status, payload) = self.listen().await;
            assert_eq!(status, 200, "{payload}");
            heard.extend(payload.split(SEPARATOR).map(ToOwned::to_owned));
        }
        heard
    }

    /// Goes over to a WebSocket, as far as the server's answer to the probe.
    pub(super) async fn probe(&self) -> Ws {
        let mut ws = Ws::open(self.address, &format!("transport=websocket&sid={}", self.sid)).await;
        ws.say("2probe").await;
        assert_eq!(ws.hear().await, "3probe");
        ws
    }
}

/// A WebSocket.
pub(super) struct Ws(WebSocketStream<MaybeTlsStream<TcpStream>>);

impl Ws {
    /// Without a session the handshake is still to be read.
    pub(super) async fn open(address: SocketAddr, query: &str) -> Self {
        let there = format!("ws://{address}/socket.io/?EIO=4&{query}");
        Self(soon(connect_async(there)).await.unwrap().0)
    }

    /// A connection after its handshake.
    pub(super) async fn ready(address: SocketAddr) -> Self {
        let mut ws = Self::open(address, "transport=websocket").await;
        assert!(ws.hear().await.starts_with("0{"));
        ws
    }

    /// A connection whose client is in the main namespace.
    pub(super) async fn enter(address: SocketAddr) -> Self {
        let mut ws = Self::ready(address).await;
        ws.say("40").await;
        assert!(ws.listen().await.starts_with("40{\"sid\":"));
        assert_eq!(ws.listen().await, "42[\"auth\",{}]");
        ws
    }

    pub(super) async fn say(&mut self, text: &str) {
        self.0.send(Message::text(text)).await.unwrap();
    }

    /// Says what the server may cut off while it is said.
    pub(super) async fn say_until_the_end(&mut self, text: &str) -> Vec<String> {
        match self.0.send(Message::text(text)).await {
            Ok(()) => self.hear_the_end().await,
            Err(_) => Vec::new(),
        }
    }

    pub(super) async fn say_bytes(&mut self, bytes: &[u8]) {
        self.0.send(Message::binary(bytes.to_vec())).await.unwrap();
    }

    pub(super) async fn hear(&mut self) -> String {
        let message = soon(self.0.next()).await.unwrap().unwrap();
        message.into_text().unwrap().to_string()
    }

    /// The next packet that is not the server's question whether anybody is there, which
    /// is answered.
    pub(super) async fn listen(&mut self) -> String {
        loop {
            let heard = self.hear().await;
            if heard != "2" {
                return heard;
            }
            self.say("3").await;
        }
    }

    pub(super) async fn hear_bytes(&mut self) -> Vec<u8> {
        let message = soon(self.0.next()).await.unwrap().unwrap();
        assert!(message.is_binary(), "{message:?}");
        message.into_data().to_vec()
    }

    /// Waits until the server closes, and answers what it said before beside its pings.
    pub(super) async fn hear_the_end(&mut self) -> Vec<String> {
        let mut heard = Vec::new();
        loop {
            match soon(self.0.next()).await {
                Some(Ok(Message::Text(text))) if text.as_str() == "2" => {}
                Some(Ok(Message::Text(text))) => heard.push(text.to_string()),
                Some(Ok(Message::Close(_)) | Err(_)) | None => return heard,
                Some(Ok(_)) => {}
            }
        }
    }
}

/// What a WebSocket's handshake is answered that is refused.
pub(super) async fn refusal(address: SocketAddr, query: &str) -> u16 {
    let there = format!("ws://{address}/socket.io/?{query}");
    match soon(connect_async(there)).await {
        Err(tokio_tungstenite::tungstenite::Error::Http(answer)) => answer.status().as_u16(),
        other => panic!("{other:?}"),
    }
}
