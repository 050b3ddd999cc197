//! Bytes on a socket, on either side.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// Sends bytes and reads until the other side closes, or is silent for two seconds.
/// The second value tells whether it closed.
pub(crate) async fn say(address: SocketAddr, bytes: &[u8]) -> (String, bool) {
    let mut stream = TcpStream::connect(address).await.unwrap();
    // It may answer and close before it has everything.
    let _ = stream.write_all(bytes).await;
    hear(&mut stream).await
}

pub(crate) async fn hear(stream: &mut TcpStream) -> (String, bool) {
    let mut heard = Vec::new();
    loop {
        let read = stream.read_buf(&mut heard);
        match tokio::time::timeout(Duration::from_secs(2), read).await {
            Ok(Ok(0) | Err(_)) => return (String::from_utf8_lossy(&heard).into_owned(), true),
            Ok(Ok(_)) => {}
            Err(_) => return (String::from_utf8_lossy(&heard).into_owned(), false),
        }
    }
}

/// The status of an answer.
pub(crate) fn status(answer: &str) -> &str {
    answer.get(9..12).unwrap_or("")
}

/// A service that answers each connection's first request with `answer` and then does `after`.
#[derive(Clone, Copy)]
pub(crate) enum After {
    Close,
    Hang,
}

pub(crate) async fn upstream(answer: &'static [u8], after: After) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let mut request = vec![0; 16 * 1024];
                let read = stream.read(&mut request).await.unwrap_or(0);
                // A probe is told that the question is not known: it is taken as it is.
                if request[..read].starts_with(b"GET /-/") {
                    let _ = stream
                        .write_all(b"HTTP/1.1 404 No\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
                        .await;
                    return;
                }
                let _ = stream.write_all(answer).await;
                if matches!(after, After::Hang) {
                    tokio::time::sleep(Duration::from_mins(1)).await;
                }
            });
        }
    });
    address
}
