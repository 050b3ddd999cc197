//! `WebSockets` and Engine.IO's long polling.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures_util::{SinkExt as _, StreamExt as _};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::tungstenite::Message;

use crate::support::raw::{say, status};
use crate::support::{at, client, gateway, start, url};

/// A stand-in for chat: a WebSocket that says everything back, and sessions that only it knows.
pub(crate) async fn chat(name: &'static str) -> (SocketAddr, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (address, strangers) = (listener.local_addr().unwrap(), Arc::new(AtomicUsize::new(0)));
    let counter = strangers.clone();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(connection(name, stream, counter.clone()));
        }
    });
    (address, strangers)
}

async fn connection(name: &'static str, mut stream: TcpStream, strangers: Arc<AtomicUsize>) {
    let mut peeked = [0; 2048];
    // Probes and polls are read here, an upgrade is left to the WebSocket's own handshake.
    let read = stream.peek(&mut peeked).await.unwrap_or(0);
    let head = String::from_utf8_lossy(&peeked[..read]).into_owned();
    let line = head.lines().next().unwrap_or_default().to_owned();
    let own = format!("sid={name}-session");
    if head.contains("upgrade: websocket") && (!line.contains("sid=") || line.contains(&own)) {
        let Ok(mut socket) = tokio_tungstenite::accept_async(stream).await else {
            return;
        };
        let _ = socket.send(Message::text(format!("{name} {line}"))).await;
        while let Some(Ok(message)) = socket.next().await {
            if (message.is_text() || message.is_binary()) && socket.send(message).await.is_err() {
                return;
            }
        }
        return;
    }
    let _ = stream.read(&mut peeked).await;
    let (status, body) = if line.contains("/-/") {
        ("404 No", String::new())
    } else if line.contains(&own) {
        ("200 OK", format!("2{name}"))
    } else if line.contains("sid=") {
        strangers.fetch_add(1, Ordering::Relaxed);
        (
            "400 Bad",
            "{\"code\":1,\"message\":\"Session ID unknown\"}".to_owned(),
        )
    } else {
        (
            "200 OK",
            format!("0{{\"sid\":\"{name}-session\",\"upgrades\":[\"websocket\"]}}"),
        )
    };
    let answer = format!(
        "HTTP/1.1 {status}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
        body.len()
    );
    let _ = stream.write_all(answer.as_bytes()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_socket_is_a_tunnel_both_ways() {
    let (chat, _) = chat("one").await;
    let gateway = gateway(&[("gateway.upstreams.sockets", &url(chat))]).await;
    for path in ["/ws/chat/7/", "/socket.io/?EIO=4&transport=websocket"] {
        let there = format!("ws://{}{path}", gateway.address);
        let (mut socket, response) = tokio_tungstenite::connect_async(there).await.unwrap();
        assert!(response.headers().contains_key("x-request-id"));
        let hello = socket.next().await.unwrap().unwrap();
        assert_eq!(hello.to_text().unwrap(), format!("one GET {path} HTTP/1.1"));
        for size in [1, 1000, 100_000, 2_000_000] {
            let message = Message::binary(vec![7; size]);
            socket.send(message.clone()).await.unwrap();
            assert_eq!(socket.next().await.unwrap().unwrap(), message);
        }
        socket.close(None).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn long_polling_and_its_upgrade_stay_with_their_replica() {
    let ((one, strange_one), (two, strange_two)) = (chat("one").await, chat("two").await);
    let both = format!("{},{}", url(one), url(two));
    let gateway = gateway(&[("gateway.upstreams.sockets", &both)]).await;
    let ask = async |query: String| {
        let there = at(&gateway, &format!("/socket.io/?EIO=4&transport=polling{query}"));
        let answer = client().get(there).send().await.unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    };
    let mut seen = std::collections::BTreeSet::new();
    for _ in 0..4 {
        let (_, handshake) = ask(String::new()).await;
        let sid = handshake.split('"').nth(3).unwrap().to_owned();
        let name = sid.strip_suffix("-session").unwrap().to_owned();
        for _ in 0..5 {
            assert_eq!(ask(format!("&sid={sid}")).await, (200, format!("2{name}")));
        }
        let there = format!(
            "ws://{}/socket.io/?EIO=4&transport=websocket&sid={sid}",
            gateway.address
        );
        let (mut socket, _) = tokio_tungstenite::connect_async(there).await.unwrap();
        assert!(
            socket
                .next()
                .await
                .unwrap()
                .unwrap()
                .to_text()
                .unwrap()
                .starts_with(&name)
        );
        seen.insert(name);
    }
    assert_eq!(seen.len(), 2, "both have sessions");
    let strangers = || strange_one.load(Ordering::Relaxed) + strange_two.load(Ordering::Relaxed);
    assert_eq!(strangers(), 0);
    // A gateway that was not there at the handshake asks around, once.
    let fresh = super::support::gateway(&[("gateway.upstreams.sockets", &both)]).await;
    for sid in ["one-session", "two-session", "one-session", "two-session"] {
        let there = at(&fresh, &format!("/socket.io/?transport=polling&sid={sid}"));
        assert_eq!(client().get(there).send().await.unwrap().status(), 200);
    }
    assert!(strangers() <= 2);
    let (status, body) = ask("&sid=nobodys".to_owned()).await;
    assert_eq!((status, body.contains("unknown")), (400, true));
}

#[tokio::test(flavor = "multi_thread")]
async fn upgrades_that_lie_are_refused() {
    let (chat, _) = chat("one").await;
    let to = url(chat);
    let settings = [
        ("gateway.upstreams.sockets", to.as_str()),
        ("gateway.upstreams.orders", to.as_str()),
    ];
    let gateway = gateway(&settings).await;
    let key = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n";
    let smuggled = "GET /internal/jwks HTTP/1.1\r\nHost: x\r\n\r\n";
    for request in [
        format!("GET /api/orders HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n{key}\r\n"),
        format!("POST /ws/ HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n{key}\r\n"),
        format!("GET /ws/ HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\n{key}\r\n"),
        "GET /ws/ HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n".to_owned(),
        "GET /ws/ HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: a\r\nSec-WebSocket-Version: 13\r\n\r\n".to_owned(),
        format!("GET /ws/ HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nContent-Length: 10\r\n{key}\r\n"),
        format!("GET /ws/ HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nTransfer-Encoding: chunked\r\n{key}\r\n"),
    ] {
        let (answer, _) = say(gateway.address, format!("{request}{smuggled}").as_bytes()).await;
        assert_eq!(status(&answer), "400", "{request}: {answer}");
        assert_eq!(answer.matches("HTTP/1.1 400").count(), 1, "{answer}");
        assert!(!answer.contains("HTTP/1.1 2"), "{answer}");
    }
    // A service that declines is heard, and nothing is a tunnel.
    let request = format!(
        "GET /socket.io/?sid=nobodys HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n{key}\r\n{smuggled}"
    );
    let (answer, _) = say(gateway.address, request.as_bytes()).await;
    assert_eq!(status(&answer), "400", "{answer}");
    assert!(
        answer.contains("connection: close") && answer.ends_with("Session ID unknown\"}"),
        "{answer}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn sockets_are_let_go_when_the_gateway_stops() {
    let (chat, _) = chat("one").await;
    let to = url(chat);
    let settings = [
        ("gateway.upstreams.sockets", to.as_str()),
        ("http.grace_seconds", "20"),
    ];
    let gateway = start(&[parlour_gateway::service()], &settings).await;
    let there = format!("ws://{}/ws/", gateway.address);
    let (mut socket, _) = tokio_tungstenite::connect_async(there).await.unwrap();
    socket.next().await.unwrap().unwrap();
    let stopping = tokio::spawn(gateway.stop());
    let end = tokio::time::timeout(Duration::from_secs(15), socket.next())
        .await
        .unwrap();
    assert!(!matches!(end, Some(Ok(_))));
    tokio::time::timeout(Duration::from_secs(20), stopping)
        .await
        .unwrap()
        .unwrap();
}
