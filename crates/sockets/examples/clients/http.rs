//! As much of HTTP/1.1 as it takes to ask one thing after the other over one connection.

use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::Place;

/// Somebody who asks.
pub(crate) struct Requester {
    stream: TcpStream,
    token: String,
    host: String,
    pub(crate) session: String,
    read: Vec<u8>,
}

impl Requester {
    pub(crate) async fn connect(address: &str, place: &Place) -> Self {
        let stream = TcpStream::connect(address).await.unwrap();
        stream.set_nodelay(true).unwrap();
        Self {
            stream,
            token: place.token.clone(),
            host: address.to_owned(),
            session: place.session.clone(),
            read: Vec::new(),
        }
    }

    /// Says something.
    pub(crate) async fn post(&mut self, content: &str) {
        let body = json!({ "session_id": self.session, "content": content, "type": "text" }).to_string();
        let head = self.head("POST", "/api/chat/messages");
        let length = body.len();
        let request =
            format!("{head}content-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}");
        self.ask(&request, 201).await;
    }

    /// Reads the newest fifty messages.
    pub(crate) async fn page(&mut self) {
        let path = format!("/api/chat/messages?session_id={}&limit=50", self.session);
        let request = self.head("GET", &path) + "\r\n";
        self.ask(&request, 200).await;
    }

    fn head(&self, method: &str, path: &str) -> String {
        let (host, token) = (&self.host, &self.token);
        format!("{method} {path} HTTP/1.1\r\nhost: {host}\r\nauthorization: Bearer {token}\r\n")
    }

    async fn ask(&mut self, request: &str, status: u16) {
        self.stream.write_all(request.as_bytes()).await.unwrap();
        self.read.clear();
        let mut whole = None;
        while whole.is_none_or(|whole| self.read.len() < whole) {
            let read = self.stream.read_buf(&mut self.read).await.unwrap();
            assert!(read > 0, "the server hung up");
            whole = whole.or_else(|| whole_length(&self.read));
        }
        let answered = std::str::from_utf8(self.read.get(9..12).unwrap()).unwrap();
        assert!(
            answered == status.to_string(),
            "answered {}",
            String::from_utf8_lossy(&self.read)
        );
    }
}

/// The length of the whole answer, once its head is there.
fn whole_length(read: &[u8]) -> Option<usize> {
    let end = read.windows(4).position(|four| four == b"\r\n\r\n")? + 4;
    let head = String::from_utf8_lossy(read.get(..end)?).to_ascii_lowercase();
    let (_, after) = head
        .split_once("content-length: ")
        .expect("an answer with its length");
    let length: usize = after.lines().next()?.trim().parse().unwrap();
    Some(end + length)
}
