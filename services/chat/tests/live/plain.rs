//! SafeTalk's plain WebSocket.

use std::net::SocketAddr;

use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

use crate::stage::Stage;

type Plain = WebSocketStream<MaybeTlsStream<TcpStream>>;

async fn open(address: SocketAddr, path: &str, headers: &[(&'static str, String)]) -> Result<Plain, u16> {
    let mut request = format!("ws://{address}{path}").into_client_request().unwrap();
    for (name, value) in headers {
        request.headers_mut().insert(*name, value.parse().unwrap());
    }
    match connect_async(request).await {
        Ok((socket, _)) => Ok(socket),
        Err(Error::Http(answer)) => Err(answer.status().as_u16()),
        Err(other) => panic!("{other}"),
    }
}

async fn next(socket: &mut Plain, kind: &str) -> Value {
    loop {
        let message = socket.next().await.unwrap().unwrap();
        let Message::Text(text) = message else { continue };
        let frame: Value = serde_json::from_str(&text).unwrap();
        if frame["type"] == kind {
            return frame;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_token_comes_in_any_of_four_ways() {
    let stage = Stage::start().await;
    let (address, token) = (stage.address(0).await, &stage.client.token);
    let path = format!("/ws/chat/{}/", stage.session);
    let bearer = [("authorization", format!("Bearer {token}"))];
    assert!(open(address, &path, &bearer).await.is_ok());
    assert!(open(address, &format!("{path}?token={token}"), &[]).await.is_ok());
    let offered = [("sec-websocket-protocol", format!("parlour, bearer.{token}"))];
    assert!(open(address, &path, &offered).await.is_ok());
    let cookie = ("cookie", format!("a=b; parlour_session={token}"));
    let ours = ("origin", format!("http://{address}"));
    assert!(open(address, &path, &[cookie.clone(), ours]).await.is_ok());
    let theirs = ("origin", "https://evil.example".to_owned());
    assert_eq!(
        open(address, &path, &[cookie.clone(), theirs]).await.err(),
        Some(403)
    );
    assert_eq!(open(address, &path, &[cookie]).await.err(), Some(403));
    assert_eq!(open(address, &path, &[]).await.err(), Some(401));
    let wrong = [("authorization", "Bearer nothing".to_owned())];
    assert_eq!(open(address, &path, &wrong).await.err(), Some(401));
    assert_eq!(open(address, "/ws/chat/x/", &bearer).await.err(), Some(404));
}

#[tokio::test(flavor = "multi_thread")]
async fn frames_go_both_ways_and_reach_the_other_dialect() {
    let stage = Stage::start().await;
    let address = stage.address(0).await;
    let path = format!("/ws/chat/{}/?token={}", stage.session, stage.client.token);
    let mut plain = open(address, &path, &[]).await.unwrap();
    let mut reader = stage.joined(&stage.reader).await;
    let say = |value: Value| Message::text(value.to_string());
    plain
        .send(say(json!({ "type": "typing", "is_typing": true })))
        .await
        .unwrap();
    assert_eq!(reader.next("user_typing").await["is_typing"], true);
    plain
        .send(say(json!({ "type": "message", "content": "from SafeTalk" })))
        .await
        .unwrap();
    let seen = reader.next("new_message").await;
    assert_eq!(seen["content"], "from SafeTalk");
    let sent = next(&mut plain, "message").await;
    assert_eq!((&sent["id"], &sent["status"]), (&seen["id"], &json!("sent")));
    reader
        .done("send_message", stage.saying("r", "to SafeTalk"))
        .await;
    let heard = next(&mut plain, "message").await;
    assert_eq!(
        (&heard["content"], &heard["sender"]),
        (&json!("to SafeTalk"), &json!(stage.reader.id))
    );
    let reaction = json!({ "type": "reaction", "message_id": heard["id"], "reaction": "👍" });
    plain.send(say(reaction)).await.unwrap();
    assert_eq!(reader.next("message_reaction_update").await["reaction"], "👍");
    for wrong in [
        "not JSON",
        "{\"type\":\"dance\"}",
        "{\"type\":\"message\",\"content\":\"\"}",
    ] {
        plain.send(Message::text(wrong)).await.unwrap();
        assert_eq!(
            next(&mut plain, "error").await["code"],
            "VALIDATION_ERROR",
            "{wrong}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stranger_is_told_and_closed() {
    let stage = Stage::start().await;
    let stranger = stage.app.person("client").await;
    let path = format!("/ws/chat/{}/?token={}", stage.session, stranger.token);
    let mut plain = open(stage.address(0).await, &path, &[]).await.unwrap();
    assert_eq!(next(&mut plain, "error").await["code"], "CHAT_ACCESS_DENIED");
    let last = plain.next().await;
    assert!(matches!(last, Some(Ok(Message::Close(_)))), "{last:?}");
}
