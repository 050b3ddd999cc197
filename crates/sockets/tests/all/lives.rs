//! What a program is told of a client, from when it comes until it is gone.

use std::time::Duration;

use futures_util::SinkExt as _;
use parlour_sockets::{Gone, SendError, Settings};
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;
use tokio_tungstenite::connect_async;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;

use crate::support::{Polling, Server, Told, Ws, calm, event, soon};

fn main(gone: Gone) -> (String, Gone) {
    ("/".to_owned(), gone)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_comes_once_into_each_namespace_and_leaves_each_once() {
    let mut server = Server::start(calm()).await;
    let mut ws = Ws::enter(server.address).await;
    let first = server.told_connected().await;
    ws.say("40/custom,").await;
    let second = server.told_connected().await;
    assert_eq!((first.namespace(), second.namespace()), ("/", "/custom"));
    assert_ne!(first.id(), second.id());
    ws.say("41/custom,").await;
    assert_eq!(server.told_gone().await, ("/custom".to_owned(), Gone::Left));
    assert_eq!(second.emit("late", &()), Err(SendError::Gone));
    ws.say(&event("still here")).await;
    server.told_said("still here").await;
    // Into a namespace that it is in already: that is no packet that a client may send.
    ws.say("40").await;
    assert_eq!(server.told_gone().await, main(Gone::Refused));
    server.told_nothing_more().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn it_is_gone_after_everything_that_it_said() {
    let mut server = Server::start(calm()).await;
    let mut ws = Ws::enter(server.address).await;
    server.told_connected().await;
    for name in ["hold", "one", "two"] {
        ws.say(&event(name)).await;
    }
    ws.0.close(None).await.unwrap();
    while ws.hear().await.is_some() {}
    server.program.gate.add_permits(1);
    for name in ["hold", "one", "two"] {
        server.told_said(name).await;
    }
    assert_eq!(server.told_gone().await, main(Gone::Left));
    server.told_nothing_more().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn why_it_is_gone() {
    let mut server = Server::start(Settings {
        ping_interval: Duration::from_millis(200),
        ping_timeout: Duration::from_millis(200),
        ..calm()
    })
    .await;
    // It does not answer.
    let silent = Ws::enter(server.address).await;
    server.told_connected().await;
    assert_eq!(server.told_gone().await, main(Gone::Broken));
    drop(silent);
    let mut server = Server::start(calm()).await;
    // It says that it goes.
    let mut leaving = Ws::enter(server.address).await;
    server.told_connected().await;
    leaving.say("1").await;
    assert_eq!(server.told_gone().await, main(Gone::Left));
    // It breaks off.
    let breaking = Ws::enter(server.address).await;
    server.told_connected().await;
    drop(breaking);
    assert_eq!(server.told_gone().await, main(Gone::Broken));
    // It talks nonsense.
    let mut lying = Ws::enter(server.address).await;
    server.told_connected().await;
    lying.say("4nonsense").await;
    assert_eq!(server.told_gone().await, main(Gone::Refused));
    // It says too much at once.
    let mut shouting = Ws::enter(server.address).await;
    server.told_connected().await;
    let much = tokio_tungstenite::tungstenite::Message::text("4".repeat(100_001));
    shouting.0.send(much).await.unwrap();
    assert_eq!(server.told_gone().await, main(Gone::Refused));
    // We close it, and once more.
    let mut closed = Ws::enter(server.address).await;
    let conn = server.told_connected().await;
    conn.close();
    conn.close();
    conn.disconnect();
    assert!(!conn.is_open());
    assert_eq!(conn.emit("late", &()), Err(SendError::Gone));
    assert_eq!(closed.hear().await.as_deref(), Some("1"));
    assert_eq!(closed.hear().await, None);
    assert_eq!(server.told_gone().await, main(Gone::Closed));
    server.told_nothing_more().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_poll_that_is_given_up_ends_its_session() {
    let mut server = Server::start(calm()).await;
    let session = Polling::enter(server.address).await;
    server.told_connected().await;
    let path = session.there().split_once("/socket.io").unwrap().1;
    let mut raw = TcpStream::connect(server.address).await.unwrap();
    let poll = format!("GET /socket.io{path} HTTP/1.1\r\nHost: x\r\n\r\n");
    raw.write_all(poll.as_bytes()).await.unwrap();
    drop(raw);
    assert_eq!(server.told_gone().await, main(Gone::Broken));
    assert_eq!(session.poll().await.0, 400);
    server.told_nothing_more().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_has_to_leave_hears_it_first() {
    let mut server = Server::start(calm()).await;
    let mut ws = Ws::enter(server.address).await;
    server.told_connected().await.disconnect();
    assert_eq!(ws.hear().await.as_deref(), Some("41"));
    assert_eq!(ws.hear().await.as_deref(), Some("1"));
    assert_eq!(ws.hear().await, None);
    assert_eq!(server.told_gone().await, main(Gone::Closed));
    // Who polls may be between two polls.
    let session = Polling::enter(server.address).await;
    let conn = server.told_connected().await;
    conn.disconnect();
    assert_eq!(conn.emit("late", &()), Err(SendError::Gone));
    assert_eq!(session.poll().await, (200, "41".to_owned()));
    assert_eq!(session.say(&event("late")).await, 200);
    assert_eq!(session.say("1").await, 200);
    assert_eq!(server.told_gone().await, main(Gone::Closed));
    assert_eq!(session.poll().await.0, 400);
    server.told_nothing_more().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_comes_into_no_namespace_is_cut_off() {
    let mut server = Server::start(Settings {
        connect_timeout: Some(Duration::from_millis(100)),
        ..calm()
    })
    .await;
    let mut ws = Ws::open(server.address).await.unwrap();
    assert!(ws.hear().await.unwrap().starts_with("0{"));
    assert_eq!(ws.hear().await.as_deref(), Some("1"));
    assert_eq!(ws.hear().await, None);
    server.told_nothing_more().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn those_that_are_in_stay_when_nobody_else_is_let_in() {
    let mut server = Server::start(calm()).await;
    let mut ws = Ws::enter(server.address).await;
    server.told_connected().await;
    server.stop.cancel();
    crate::support::until(async || TcpStream::connect(server.address).await.is_err()).await;
    ws.say(&event("still here")).await;
    server.told_said("still here").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_the_request_what_says_who_is_kept() {
    let mut server = Server::start(calm()).await;
    let there = format!(
        "ws://{}/socket.io/?EIO=4&transport=websocket&token=x",
        server.address
    );
    let mut request = there.into_client_request().unwrap();
    for (name, value) in [
        ("authorization", "Bearer x"),
        ("cookie", "session=1"),
        ("cookie", "other=2"),
        ("origin", "https://app.example.com"),
        ("x-forwarded-for", "192.0.2.7"),
        ("user-agent", "a long story"),
    ] {
        request.headers_mut().append(name, value.parse().unwrap());
    }
    let mut ws = Ws(soon(connect_async(request)).await.unwrap().0);
    ws.say(r#"40{"token":"y"}"#).await;
    let Told::Connected(conn, auth) = server.told().await else {
        panic!("it did not connect");
    };
    assert_eq!(auth["token"], "y");
    let (uri, headers) = (&conn.request().uri, &conn.request().headers);
    assert_eq!(uri.query(), Some("EIO=4&transport=websocket&token=x"));
    assert_eq!(headers["authorization"], "Bearer x");
    assert_eq!(headers["x-forwarded-for"], "192.0.2.7");
    assert_eq!(headers["origin"], "https://app.example.com");
    assert_eq!(headers.get_all("cookie").iter().count(), 2);
    assert_eq!(headers.len(), 6, "{headers:?}");
}
