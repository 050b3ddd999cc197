//! Connections that another part of the process accepted.

use std::sync::Arc;

use bytes::Bytes;
use futures_util::{SinkExt as _, StreamExt as _};
use http::HeaderValue;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::client_async;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;

use crate::support::{Polling, Server, calm, soon, until};

const KEY: &str = "sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\nsec-websocket-version: 13\r\n";

/// The two ends of a connection.
async fn pair() -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
    (client, listener.accept().await.unwrap().0)
}

/// What a client says is read by somebody else first, who rewrites it and hands over.
fn hand(server: &Server, accepted: TcpStream, said: String, held: &Arc<()>) {
    let stream = accepted.into_std().unwrap();
    server
        .door
        .take(stream, Bytes::from(said), Box::new(held.clone()));
}

fn upgrade(path: &str) -> String {
    format!(
        "GET {path} HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: websocket\r\nx-request-id: r1\r\n{KEY}\r\n"
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn a_socket_goes_on_where_it_was_handed_over() {
    let server = Server::start(calm()).await;
    let (client, mut accepted) = pair().await;
    let held = Arc::new(());
    let mut request = "ws://x/ws/".into_client_request().unwrap();
    let protocol = HeaderValue::from_static("parlour");
    request.headers_mut().insert("sec-websocket-protocol", protocol);
    let connecting = tokio::spawn(client_async(request, client));
    let mut said = Vec::new();
    while !said.ends_with(b"\r\n\r\n") {
        said.push(accepted.read_u8().await.unwrap());
    }
    hand(&server, accepted, String::from_utf8(said).unwrap(), &held);
    let (mut socket, response) = soon(connecting).await.unwrap().unwrap();
    assert_eq!(response.headers()["connection"], "Upgrade");
    for word in ["one", "two"] {
        socket.send(Message::text(word)).await.unwrap();
        assert_eq!(soon(socket.next()).await.unwrap().unwrap(), Message::text(word));
    }
    assert_eq!(Arc::strong_count(&held), 2);
    drop(socket);
    until(async || Arc::strong_count(&held) == 1).await;
}

/// What came behind the head was read with it.
#[tokio::test(flavor = "multi_thread")]
async fn what_was_said_already_is_heard() {
    let server = Server::start(calm()).await;
    let (mut client, accepted) = pair().await;
    let mut said = upgrade("/ws/").into_bytes();
    // A text of two letters, masked with nothing.
    said.extend([0x81, 0x82, 0, 0, 0, 0, b'h', b'i']);
    let stream = accepted.into_std().unwrap();
    server.door.take(stream, Bytes::from(said), Box::new(()));
    let mut heard = Vec::new();
    while !heard.ends_with(b"hi") {
        assert!(soon(client.read_buf(&mut heard)).await.unwrap() > 0);
    }
    let heard = String::from_utf8_lossy(&heard);
    assert!(
        heard.starts_with("HTTP/1.1 101 ") && heard.contains("x-request-id: r1"),
        "{heard}"
    );
}

/// The session has a place, and its connection keeps what it came with.
#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_polled_is_upgraded_by_a_connection_that_was_handed_over() {
    let mut server = Server::start(calm()).await;
    let session = Polling::enter(server.address).await;
    let conn = server.told_connected().await;
    let query = session
        .there()
        .split_once('?')
        .unwrap()
        .1
        .replace("=polling", "=websocket");
    let (mut client, accepted) = pair().await;
    let held = Arc::new(());
    hand(&server, accepted, upgrade(&format!("/socket.io/?{query}")), &held);
    let mut answer = [0; 12];
    soon(client.read_exact(&mut answer)).await.unwrap();
    assert_eq!(&answer, b"HTTP/1.1 101");
    // "2probe" and "5", masked with nothing.
    let probe: &[u8] = &[0x81, 0x86, 0, 0, 0, 0, b'2', b'p', b'r', b'o', b'b', b'e'];
    client
        .write_all(&[probe, &[0x81, 0x81, 0, 0, 0, 0, b'5']].concat())
        .await
        .unwrap();
    client.write_all(&[0x81, 0x8a, 0, 0, 0, 0]).await.unwrap();
    client.write_all(b"42[\"here\"]").await.unwrap();
    server.told_said("here").await;
    assert_eq!(Arc::strong_count(&held), 2);
    conn.close();
    until(async || Arc::strong_count(&held) == 1).await;
}

/// A request behind the first one would not have been looked at by anybody.
#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_was_handed_over_is_for_one_request() {
    let server = Server::start(calm()).await;
    for first in ["/nowhere", "/socket.io/?EIO=4&transport=websocket&sid=nobodys"] {
        let (mut client, accepted) = pair().await;
        let held = Arc::new(());
        let second = "GET /socket.io/?EIO=4&transport=polling HTTP/1.1\r\nhost: x\r\n\r\n";
        hand(&server, accepted, upgrade(first) + second, &held);
        client.write_all(second.as_bytes()).await.ok();
        let mut answer = Vec::new();
        // The end may be a reset: nobody reads what is said behind the request.
        soon(client.read_to_end(&mut answer)).await.ok();
        let answer = String::from_utf8(answer).unwrap();
        assert!(
            answer.starts_with("HTTP/1.1 4") && answer.contains("connection: close"),
            "{answer}"
        );
        assert_eq!(answer.matches("HTTP/1.1").count(), 1, "{answer}");
        until(async || Arc::strong_count(&held) == 1).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_is_handed_over_too_late_is_closed() {
    let server = Server::start(calm()).await;
    server.stop.cancel();
    until(async || TcpStream::connect(server.address).await.is_err()).await;
    let (mut client, accepted) = pair().await;
    let held = Arc::new(());
    hand(&server, accepted, upgrade("/ws/"), &held);
    assert_eq!(soon(client.read(&mut [0; 1])).await.unwrap(), 0);
    assert_eq!(Arc::strong_count(&held), 1);
}
