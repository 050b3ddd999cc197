//! The cases of Engine.IO 4 about handshakes and messages. What is carried is Socket.IO's,
//! which changes nothing of them.

use serde_json::{Value, json};
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;

use super::cases;
use super::client::{Polling, SEPARATOR, Ws, refusal};
use super::server::{Pace, Server, Way};
use crate::support::{client, until};

cases![
    a_session_that_polls_opens,
    polling_needs_a_version,
    polling_needs_a_transport,
    polling_begins_with_get,
    a_websocket_opens,
    a_websocket_needs_a_version,
    a_websocket_needs_a_transport,
    one_text_by_polling,
    several_texts_by_polling,
    text_and_bytes_by_polling,
    what_is_no_packet_ends_polling,
    two_polls_at_a_time_end_the_session,
    a_poll_given_up_ends_the_session,
    too_much_at_once_ends_polling,
    text_by_websocket,
    bytes_by_websocket,
    what_is_no_packet_ends_a_websocket,
    too_much_at_once_ends_a_websocket,
];

async fn handshake(address: std::net::SocketAddr, query: &str) -> (u16, String) {
    let there = format!("http://{address}/socket.io/?{query}");
    let answer = client().get(there).send().await.unwrap();
    (answer.status().as_u16(), answer.text().await.unwrap())
}

fn check_handshake(text: &str, upgrades: &Value) {
    let mut handshake: Value = serde_json::from_str(text.strip_prefix('0').unwrap()).unwrap();
    let sid = handshake.as_object_mut().unwrap().remove("sid").unwrap();
    assert!(!sid.as_str().unwrap().is_empty());
    let rest =
        json!({ "upgrades": upgrades, "pingInterval": 300, "pingTimeout": 200, "maxPayload": 1_000_000 });
    assert_eq!(handshake, rest);
}

async fn a_session_that_polls_opens(way: Way) {
    let server = Server::start(way, Pace::Published).await;
    let (status, text) = handshake(server.address, "EIO=4&transport=polling").await;
    assert_eq!(status, 200);
    check_handshake(&text, &json!(["websocket"]));
}

async fn polling_needs_a_version(way: Way) {
    let server = Server::start(way, Pace::Calm).await;
    for query in ["transport=polling", "EIO=abc&transport=polling"] {
        assert_eq!(handshake(server.address, query).await.0, 400, "{query}");
    }
}

async fn polling_needs_a_transport(way: Way) {
    let server = Server::start(way, Pace::Calm).await;
    for query in ["EIO=4", "EIO=4&transport=abc"] {
        assert_eq!(handshake(server.address, query).await.0, 400, "{query}");
    }
}

async fn polling_begins_with_get(way: Way) {
    let server = Server::start(way, Pace::Calm).await;
    let there = format!("http://{}/socket.io/?EIO=4&transport=polling", server.address);
    for method in [reqwest::Method::POST, reqwest::Method::PUT] {
        let answer = client().request(method.clone(), &there).send().await.unwrap();
        assert_eq!(answer.status(), 400, "{method}");
    }
}

async fn a_websocket_opens(way: Way) {
    let server = Server::start(way, Pace::Published).await;
    let mut ws = Ws::open(server.address, "transport=websocket").await;
    check_handshake(&ws.hear().await, &json!([]));
}

async fn a_websocket_needs_a_version(way: Way) {
    let server = Server::start(way, Pace::Calm).await;
    for query in ["transport=websocket", "EIO=abc&transport=websocket"] {
        assert_eq!(refusal(server.address, query).await, 400, "{query}");
    }
}

async fn a_websocket_needs_a_transport(way: Way) {
    let server = Server::start(way, Pace::Calm).await;
    for query in ["EIO=4", "EIO=4&transport=abc"] {
        assert_eq!(refusal(server.address, query).await, 400, "{query}");
    }
}

async fn one_text_by_polling(way: Way) {
    let server = Server::start(way, Pace::Calm).await;
    let session = Polling::enter(server.address).await;
    let said = session.say(r#"42["message","hello"]"#).await;
    assert_eq!(said, (200, "ok".to_owned()));
    let heard = (200, r#"42["message-back","hello"]"#.to_owned());
    assert_eq!(session.listen().await, heard);
}

async fn several_texts_by_polling(way: Way) {
    let server = Server::start(way, Pace::Calm).await;
    let session = Polling::enter(server.address).await;
    let packets = |name: &str| [1, 2, 3].map(|number| format!(r#"42["{name}","test{number}"]"#));
    let said = session
        .say(&packets("message").join(&SEPARATOR.to_string()))
        .await;
    assert_eq!(said, (200, "ok".to_owned()));
    assert_eq!(session.hear(3).await, packets("message-back"));
}

async fn text_and_bytes_by_polling(way: Way) {
    let server = Server::start(way, Pace::Calm).await;
    let session = Polling::enter(server.address).await;
    let event = |name: &str| format!(r#"451-["{name}",{{"_placeholder":true,"num":0}}]"#);
    let said = session
        .say(&format!("{}{SEPARATOR}bAQIDBA==", event("message")))
        .await;
    assert_eq!(said, (200, "ok".to_owned()));
    let heard = format!("{}{SEPARATOR}bAQIDBA==", event("message-back"));
    assert_eq!(session.listen().await, (200, heard));
}

async fn what_is_no_packet_ends_polling(way: Way) {
    let server = Server::start(way, Pace::Calm).await;
    let session = Polling::open(server.address).await;
    assert_eq!(session.say("abc").await.0, 400);
    assert_eq!(session.poll().await.0, 400);
}

async fn two_polls_at_a_time_end_the_session(way: Way) {
    let server = Server::start(way, Pace::Calm).await;
    let session = Polling::enter(server.address).await;
    // The first to arrive is told that it is over, the second that this was wrong.
    let (one, two) = tokio::join!(session.listen(), session.listen());
    let (first, second) = if one.0 == 200 { (one, two) } else { (two, one) };
    assert_eq!(first, (200, "1".to_owned()));
    assert_eq!(second.0, 400, "{second:?}");
    assert_eq!(session.poll().await.0, 400);
}

async fn a_poll_given_up_ends_the_session(way: Way) {
    let server = Server::start(way, Pace::Calm).await;
    let session = Polling::enter(server.address).await;
    let mut given_up = TcpStream::connect(server.address).await.unwrap();
    let poll = format!(
        "GET /socket.io/?EIO=4&transport=polling&sid={} HTTP/1.1\r\nHost: x\r\n\r\n",
        session.sid
    );
    given_up.write_all(poll.as_bytes()).await.unwrap();
    drop(given_up);
    // The listener sees at once that nobody waits any more; a gateway does not, so that the
    // next is the second at a time. Which of the two comes first is not known.
    until("the end of the session", async || session.poll().await.0 == 400).await;
    assert_eq!(session.say("3").await.0, 400);
}

async fn too_much_at_once_ends_polling(way: Way) {
    let server = Server::start(way, Pace::Calm).await;
    let session = Polling::enter(server.address).await;
    let fits = format!(r#"42["message","{}"]"#, "x".repeat(900_000));
    assert_eq!(session.say(&fits).await.0, 200);
    assert_eq!(session.hear(1).await[0].len(), fits.len() + "-back".len());
    let (status, _) = session.say(&"4".repeat(1_100_000)).await;
    assert_eq!(status, 413);
    assert_eq!(session.poll().await.0, 400);
}

async fn text_by_websocket(way: Way) {
    let server = Server::start(way, Pace::Calm).await;
    let mut ws = Ws::enter(server.address).await;
    ws.say(r#"42["message","hello"]"#).await;
    assert_eq!(ws.listen().await, r#"42["message-back","hello"]"#);
}

async fn bytes_by_websocket(way: Way) {
    let server = Server::start(way, Pace::Calm).await;
    let mut ws = Ws::enter(server.address).await;
    ws.say(r#"451-["message",{"_placeholder":true,"num":0}]"#).await;
    ws.say_bytes(&[1, 2, 3, 4]).await;
    assert_eq!(
        ws.listen().await,
        r#"451-["message-back",{"_placeholder":true,"num":0}]"#
    );
    assert_eq!(ws.hear_bytes().await, [1, 2, 3, 4]);
}

async fn what_is_no_packet_ends_a_websocket(way: Way) {
    let server = Server::start(way, Pace::Calm).await;
    let mut ws = Ws::enter(server.address).await;
    ws.say("abc").await;
    ws.hear_the_end().await;
}

async fn too_much_at_once_ends_a_websocket(way: Way) {
    let server = Server::start(way, Pace::Calm).await;
    let mut ws = Ws::enter(server.address).await;
    let fits = format!(r#"42["message","{}"]"#, "x".repeat(900_000));
    ws.say(&fits).await;
    assert_eq!(ws.listen().await.len(), fits.len() + "-back".len());
    let too_much = format!(r#"42["message","{}"]"#, "x".repeat(1_100_000));
    let heard = ws.say_until_the_end(&too_much).await;
    assert!(
        heard.iter().all(|packet| !packet.starts_with('4')),
        "it was taken"
    );
}
