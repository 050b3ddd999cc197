//! SMTP servers that say exactly what a test wants, byte by byte, over a raw socket.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc::{self, UnboundedReceiver, UnboundedSender};

/// What a server does next after the line of a client.
#[derive(Clone, Debug)]
pub(crate) enum Then {
    /// Says this.
    Say(&'static str),
    /// Hangs up without a word.
    HangUp,
    /// Says nothing any more, and does not hang up either.
    Hang,
}

/// A server on a free port.
pub(crate) struct Scripted {
    pub(crate) port: u16,
    /// Every line that a client said.
    pub(crate) heard: UnboundedReceiver<String>,
    /// Connections that were made.
    pub(crate) connections: Arc<AtomicUsize>,
}

impl Scripted {
    /// Waits until so many connections were made.
    pub(crate) async fn connected(&self, times: usize) {
        while self.connections.load(Ordering::SeqCst) < times {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}

/// Serves by `script`: it is given each line (the end of a message as `.`), and answers what
/// is done. Lines of a message but its last are kept and not answered.
pub(crate) async fn server(script: impl Fn(&str) -> Then + Send + Sync + 'static) -> Scripted {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let (hear, heard) = mpsc::unbounded_channel();
    let connections = Arc::new(AtomicUsize::new(0));
    let counted = connections.clone();
    let script = Arc::new(script);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            counted.fetch_add(1, Ordering::SeqCst);
            tokio::spawn(converse(stream, script.clone(), hear.clone()));
        }
    });
    Scripted {
        port,
        heard,
        connections,
    }
}

async fn converse(stream: TcpStream, script: Arc<impl Fn(&str) -> Then>, hear: UnboundedSender<String>) {
    let mut stream = BufReader::new(stream);
    let mut in_data = false;
    let mut line = String::new();
    loop {
        // The greeting answers the empty line.
        if !in_data || line == "." {
            match script(&line) {
                Then::Say(reply) => {
                    in_data = line == "DATA" && reply.starts_with("354");
                    if stream.write_all(format!("{reply}\r\n").as_bytes()).await.is_err() {
                        return;
                    }
                }
                Then::HangUp => return,
                Then::Hang => std::future::pending().await,
            }
        }
        line.clear();
        if stream.read_line(&mut line).await.unwrap_or(0) == 0 {
            return;
        }
        line.truncate(line.trim_end_matches(['\r', '\n']).len());
        let _ = hear.send(line.clone());
    }
}

/// What a server that takes everything says.
pub(crate) fn polite(line: &str) -> Then {
    Then::Say(match line.split([' ', ':']).next().unwrap() {
        "" => "220 script",
        "EHLO" => "250-script\r\n250-8BITMIME\r\n250 SIZE 1000000",
        "DATA" => "354 go on",
        "." => "250 2.0.0 Ok: queued as 4F2D9180A",
        "QUIT" => "221 bye",
        _ => "250 ok",
    })
}
