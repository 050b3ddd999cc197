//! Plain `WebSockets`.

use futures_util::{SinkExt as _, StreamExt as _};
use reqwest::StatusCode;
use tokio_tungstenite::connect_async;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::{Error, Message};

use crate::support::{Server, calm, soon};

#[tokio::test(flavor = "multi_thread")]
async fn one_is_granted_under_its_subprotocol() {
    let server = Server::start(calm()).await;
    let mut request = format!("ws://{}/ws/", server.address)
        .into_client_request()
        .unwrap();
    let offered = "parlour, token.abc".parse().unwrap();
    request.headers_mut().insert("sec-websocket-protocol", offered);
    let (mut ws, answer) = soon(connect_async(request)).await.unwrap();
    assert_eq!(answer.headers()["sec-websocket-protocol"], "parlour");
    ws.send(Message::text("hello")).await.unwrap();
    assert_eq!(soon(ws.next()).await.unwrap().unwrap(), Message::text("hello"));
    // More than a message may have ends it.
    ws.send(Message::text("x".repeat(1001))).await.unwrap();
    while let Some(Ok(message)) = soon(ws.next()).await {
        assert!(!message.is_text());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_none_is_refused() {
    let server = Server::start(calm()).await;
    let mut request = format!("ws://{}/ws/", server.address)
        .into_client_request()
        .unwrap();
    let version = "8".parse().unwrap();
    request.headers_mut().insert("sec-websocket-version", version);
    let Err(Error::Http(answer)) = soon(connect_async(request)).await else {
        panic!("an old version was taken");
    };
    assert_eq!(answer.status(), StatusCode::UPGRADE_REQUIRED);
    assert_eq!(answer.headers()["sec-websocket-version"], "13");
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let there = format!("http://{}/ws/", server.address);
    let plain = http.get(&there).send().await.unwrap();
    assert_eq!(plain.status(), StatusCode::UPGRADE_REQUIRED);
    let post = http
        .post(&there)
        .header("connection", "upgrade")
        .header("upgrade", "websocket");
    assert_eq!(post.send().await.unwrap().status(), StatusCode::UPGRADE_REQUIRED);
    let elsewhere = http.get(there.replace("/ws/", "/else")).send().await.unwrap();
    assert_eq!(elsewhere.status(), StatusCode::NOT_FOUND);
}
