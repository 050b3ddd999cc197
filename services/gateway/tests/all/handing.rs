//! Sockets of the gateway's own process.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use futures_util::future::BoxFuture;
use futures_util::{SinkExt as _, StreamExt as _};
use parlour_chassis::{Built, Context, Handed, Process, Service};
use parlour_http::Routes;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::Role;

use crate::realtime::chat;
use crate::support::raw::{say, status};
use crate::support::{start, url};

tokio::task_local! {
    /// The address whose connections are taken over. The stand-in for chat that listens there says so itself when it
    /// gets one by a tunnel.
    static HERE: SocketAddr;
}

const UPGRADE: &str = "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
                       Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";

/// Takes connections over, says what it was given, and then says everything back.
fn taker() -> Service {
    Service {
        name: "taker",
        health: None,
        defaults: "",
        check: |_| Ok(()),
        migrations: Vec::new,
        has_database: false,
        routes: || Routes::of("taker"),
        build,
    }
}

fn build(context: Context) -> BoxFuture<'static, anyhow::Result<Built>> {
    Box::pin(async move {
        let runtime = tokio::runtime::Handle::current();
        context.handovers.offer(HERE.get(), move |handed| {
            runtime.spawn(say_back(handed));
        });
        Ok(Built::new(Arc::new(())))
    })
}

async fn say_back(handed: Handed) {
    let mut stream = TcpStream::from_std(handed.stream).unwrap();
    stream.write_all(&handed.said).await.unwrap();
    let (mut reader, mut writer) = stream.split();
    tokio::io::copy(&mut reader, &mut writer).await.ok();
}

/// A gateway whose process takes over what would go to `here`.
async fn with_taker(here: SocketAddr, settings: &[(&str, &str)]) -> Process {
    let services = [taker(), parlour_gateway::service()];
    HERE.scope(here, start(&services, settings)).await
}

/// Asks for a socket and reads until `end`.
async fn ask(gateway: &Process, request: &str, end: &str) -> (TcpStream, String) {
    let mut stream = TcpStream::connect(gateway.address).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut heard = String::new();
    while !heard.ends_with(end) {
        let mut piece = [0; 1024];
        let read = stream.read(&mut piece).await.unwrap();
        assert!(read > 0, "{heard}");
        heard += std::str::from_utf8(&piece[..read]).unwrap();
    }
    (stream, heard)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_socket_of_this_process_gets_the_connection() {
    let (here, _) = chat("here").await;
    let gateway = with_taker(here, &[("gateway.upstreams.sockets", &url(here))]).await;
    let request = format!(
        "GET /ws/?a=b HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: 6.6.6.6, 7.7.7.7\r\nX-Parlour-Internal: 1\r\n{UPGRADE}\r\nbehind it"
    );
    let (mut socket, said) = ask(&gateway, &request, "behind it").await;
    // What the services are told, and nothing that only the gateway may say.
    assert!(said.starts_with("GET /ws/?a=b HTTP/1.1\r\n"), "{said}");
    assert!(
        said.contains("x-forwarded-for: 7.7.7.7\r\n") && said.contains("x-request-id: "),
        "{said}"
    );
    assert!(
        !said.contains("6.6.6.6") && !said.contains("x-parlour-internal"),
        "{said}"
    );
    assert!(said.ends_with("\r\n\r\nbehind it"), "{said}");
    socket.write_all(b"and on").await.unwrap();
    let mut heard = [0; 6];
    socket.read_exact(&mut heard).await.unwrap();
    assert_eq!(&heard, b"and on");
}

#[tokio::test(flavor = "multi_thread")]
async fn it_counts_among_the_tunnels_until_it_ends() {
    let (here, _) = chat("here").await;
    let to = url(here);
    let settings = [
        ("gateway.upstreams.sockets", to.as_str()),
        ("gateway.caps.tunnels", "1"),
    ];
    let gateway = with_taker(here, &settings).await;
    let request = format!("GET /ws/ HTTP/1.1\r\nHost: x\r\n{UPGRADE}\r\n");
    let (first, _) = ask(&gateway, &request, "\r\n\r\n").await;
    let (answer, closed) = say(gateway.address, request.as_bytes()).await;
    assert_eq!((status(&answer), closed), ("503", true), "{answer}");
    drop(first);
    for _ in 0..100 {
        let (answer, _) = say(gateway.address, request.as_bytes()).await;
        if answer.starts_with("GET /ws/") {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("its place is not given back");
}

fn there(gateway: &Process, sid: &str) -> String {
    format!(
        "ws://{}/socket.io/?EIO=4&transport=websocket&sid={sid}",
        gateway.address
    )
}

/// Where a session lives that began elsewhere has to be found out: who gets the connection cannot say no.
#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_is_not_known_is_looked_for_first() {
    let (here, strangers) = chat("here").await;
    // Replicas are asked in the order of their addresses.
    let other = loop {
        let (other, _) = chat("one").await;
        if other > here {
            break other;
        }
    };
    let both = format!("{},{}", url(here), url(other));
    let gateway = with_taker(here, &[("gateway.upstreams.sockets", &both)]).await;
    let (mut socket, _) = tokio_tungstenite::connect_async(there(&gateway, "one-session"))
        .await
        .unwrap();
    let hello = socket.next().await.unwrap().unwrap();
    assert!(hello.to_text().unwrap().starts_with("one "));
    assert_eq!(strangers.load(Ordering::Relaxed), 1, "it was asked");
}

/// The replica of a session is gone: those that are left are asked, and one of this process says no like any other.
#[tokio::test(flavor = "multi_thread")]
async fn a_session_whose_replica_is_gone_is_not_handed_to_another() {
    let (here, strangers) = chat("here").await;
    let gone = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let both = format!("{},{}", url(here), url(gone.local_addr().unwrap()));
    let begins = tokio::spawn(begin_sessions(gone));
    let gateway = with_taker(here, &[("gateway.upstreams.sockets", &both)]).await;
    let handshake =
        "GET /socket.io/?EIO=4&transport=polling HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    // Both begin sessions in turn.
    let mut begun = String::new();
    while !begun.contains("gone-session") {
        (begun, _) = say(gateway.address, handshake.as_bytes()).await;
    }
    begins.abort();
    let request = format!("GET /socket.io/?sid=gone-session HTTP/1.1\r\nHost: x\r\n{UPGRADE}\r\n");
    let (answer, _) = say(gateway.address, request.as_bytes()).await;
    assert_eq!(status(&answer), "400", "{answer}");
    assert_eq!(strangers.load(Ordering::Relaxed), 1, "it was asked");
}

/// Answers everything as the beginning of a session.
async fn begin_sessions(listener: TcpListener) {
    let body = "0{\"sid\":\"gone-session\",\"upgrades\":[\"websocket\"]}";
    let answer = format!(
        "HTTP/1.1 200 OK\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
        body.len()
    );
    while let Ok((mut stream, _)) = listener.accept().await {
        let _head = stream.read(&mut [0; 2048]).await;
        stream.write_all(answer.as_bytes()).await.ok();
    }
}

/// Encrypted, it is of no use to whoever keeps sockets: it is tunnelled as to another process.
#[tokio::test(flavor = "multi_thread")]
async fn a_connection_with_tls_is_not_given_away() {
    let dir = tempfile::tempdir().unwrap();
    let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    let (certificate, key) = (dir.path().join("tls.crt"), dir.path().join("tls.key"));
    std::fs::write(&certificate, made.cert.pem()).unwrap();
    std::fs::write(&key, made.signing_key.serialize_pem()).unwrap();
    let (here, _) = chat("here").await;
    let to = url(here);
    let settings = [
        ("gateway.upstreams.sockets", to.as_str()),
        ("gateway.tls.certificate", certificate.to_str().unwrap()),
        ("gateway.tls.key", key.to_str().unwrap()),
    ];
    let gateway = with_taker(here, &settings).await;
    let root = reqwest::Certificate::from_pem(made.cert.pem().as_bytes()).unwrap();
    let client = reqwest::Client::builder()
        .tls_certs_only([root])
        .no_proxy()
        .http1_only();
    let asked = client
        .build()
        .unwrap()
        .get(format!("https://localhost:{}/ws/", gateway.address.port()))
        .header("connection", "upgrade")
        .header("upgrade", "websocket")
        .header("sec-websocket-version", "13")
        .header("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ==");
    let upgraded = asked.send().await.unwrap().upgrade().await.unwrap();
    let mut socket = WebSocketStream::from_raw_socket(upgraded, Role::Client, None).await;
    let hello = socket.next().await.unwrap().unwrap();
    assert_eq!(hello.to_text().unwrap(), "here GET /ws/ HTTP/1.1");
    let message = Message::binary(vec![7; 100_000]);
    socket.send(message.clone()).await.unwrap();
    assert_eq!(socket.next().await.unwrap().unwrap(), message);
}
