//! Sockets of the gateway's own process.

use std::sync::Arc;

use futures_util::StreamExt as _;
use futures_util::future::BoxFuture;
use parlour_chassis::{Built, Context, Handed, Process, Service};
use parlour_http::Routes;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::realtime::chat;
use crate::support::raw::{say, status};
use crate::support::{start, url};

/// Where nobody listens: what comes there was handed over.
const HERE: &str = "127.9.9.9:9";
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
        context.handovers.offer(HERE.parse().unwrap(), move |handed| {
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

async fn with_taker(settings: &[(&str, &str)]) -> Process {
    start(&[taker(), parlour_gateway::service()], settings).await
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
    let here = format!("http://{HERE}");
    let gateway = with_taker(&[("gateway.upstreams.sockets", &here)]).await;
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
    let here = format!("http://{HERE}");
    let settings = [
        ("gateway.upstreams.sockets", here.as_str()),
        ("gateway.caps.tunnels", "1"),
    ];
    let gateway = with_taker(&settings).await;
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
    }
    panic!("its place is not given back");
}

/// Where a session lives that began elsewhere has to be found out: who gets the connection cannot say no.
#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_is_not_known_is_looked_for_first() {
    let (other, _) = chat("one").await;
    let both = format!("http://{HERE},{}", url(other));
    let gateway = with_taker(&[("gateway.upstreams.sockets", &both)]).await;
    let there = format!(
        "ws://{}/socket.io/?EIO=4&transport=websocket&sid=one-session",
        gateway.address
    );
    let (mut socket, _) = tokio_tungstenite::connect_async(there).await.unwrap();
    let hello = socket.next().await.unwrap().unwrap();
    assert!(hello.to_text().unwrap().starts_with("one "));
}
