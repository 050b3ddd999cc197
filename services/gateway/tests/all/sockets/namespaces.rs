//! The cases of Socket.IO 5.

use super::cases;
use super::client::{Polling, Ws, soon};
use super::server::{Pace, Server, Way};

cases![
    into_the_main_namespace,
    into_it_with_something_to_say,
    into_another_namespace,
    into_another_with_something_to_say,
    into_one_that_is_none,
    a_handshake_that_is_none_ends_the_connection,
    without_a_handshake_the_connection_ends,
    without_a_handshake_polling_ends,
    out_of_the_main_namespace,
    in_and_out_of_another,
    text,
    bytes,
    text_with_an_acknowledgement,
    bytes_with_an_acknowledgement,
    a_type_that_is_none_ends_the_connection,
    a_payload_that_is_none_ends_the_connection,
    a_number_that_is_none_ends_the_connection,
    an_acknowledgement_that_nobody_asked_for_ends_the_connection,
    a_second_handshake_ends_the_connection,
];

async fn comes_in(way: Way, packet: &str, answer: &str, auth: &str) {
    let server = Server::start(way, Pace::Calm).await;
    let mut ws = Ws::ready(server.address).await;
    ws.say(packet).await;
    let heard = ws.listen().await;
    let id = heard.strip_prefix(answer).unwrap();
    let id: serde_json::Value = serde_json::from_str(id).unwrap();
    assert_eq!(id.as_object().unwrap().len(), 1);
    assert!(id["sid"].as_str().is_some_and(|sid| !sid.is_empty()));
    assert_eq!(ws.listen().await, auth);
}

async fn into_the_main_namespace(way: Way) {
    comes_in(way, "40", "40", r#"42["auth",{}]"#).await;
}

async fn into_it_with_something_to_say(way: Way) {
    comes_in(way, r#"40{"token":"123"}"#, "40", r#"42["auth",{"token":"123"}]"#).await;
}

async fn into_another_namespace(way: Way) {
    comes_in(way, "40/custom,", "40/custom,", r#"42/custom,["auth",{}]"#).await;
}

async fn into_another_with_something_to_say(way: Way) {
    comes_in(
        way,
        r#"40/custom,{"token":"abc"}"#,
        "40/custom,",
        r#"42/custom,["auth",{"token":"abc"}]"#,
    )
    .await;
}

async fn into_one_that_is_none(way: Way) {
    let server = Server::start(way, Pace::Calm).await;
    let mut ws = Ws::ready(server.address).await;
    ws.say("40/random").await;
    assert_eq!(ws.listen().await, r#"44/random,{"message":"Invalid namespace"}"#);
}

async fn a_handshake_that_is_none_ends_the_connection(way: Way) {
    let server = Server::start(way, Pace::Calm).await;
    let mut ws = Ws::ready(server.address).await;
    ws.say("4abc").await;
    ws.hear_the_end().await;
}

async fn without_a_handshake_the_connection_ends(way: Way) {
    let server = Server::start(way, Pace::Calm).await;
    let mut ws = Ws::ready(server.address).await;
    assert_eq!(ws.hear_the_end().await, ["1"]);
}

async fn without_a_handshake_polling_ends(way: Way) {
    let server = Server::start(way, Pace::Calm).await;
    let session = Polling::open(server.address).await;
    assert_eq!(session.listen().await, (200, "1".to_owned()));
    assert_eq!(session.poll().await.0, 400);
}

async fn out_of_the_main_namespace(way: Way) {
    let server = Server::start(way, Pace::Published).await;
    let mut ws = Ws::enter(server.address).await;
    ws.say("41").await;
    // The connection stays.
    assert_eq!(ws.hear().await, "2");
}

async fn in_and_out_of_another(way: Way) {
    let server = Server::start(way, Pace::Calm).await;
    let mut ws = Ws::enter(server.address).await;
    ws.say("40/custom").await;
    assert!(ws.listen().await.starts_with("40/custom,{\"sid\":"));
    assert_eq!(ws.listen().await, r#"42/custom,["auth",{}]"#);
    ws.say("41/custom").await;
    ws.say(r#"42["message","message to main namespace"]"#).await;
    assert_eq!(
        ws.listen().await,
        r#"42["message-back","message to main namespace"]"#
    );
}

async fn text(way: Way) {
    let server = Server::start(way, Pace::Calm).await;
    let mut ws = Ws::enter(server.address).await;
    ws.say(r#"42["message",1,"2",{"3":[true]}]"#).await;
    assert_eq!(ws.listen().await, r#"42["message-back",1,"2",{"3":[true]}]"#);
}

async fn binary(way: Way, said: &str, heard: &str) {
    let server = Server::start(way, Pace::Calm).await;
    let mut ws = Ws::enter(server.address).await;
    ws.say(said).await;
    ws.say_bytes(&[1, 2, 3]).await;
    ws.say_bytes(&[4, 5, 6]).await;
    assert_eq!(ws.listen().await, heard);
    assert_eq!(ws.hear_bytes().await, [1, 2, 3]);
    assert_eq!(ws.hear_bytes().await, [4, 5, 6]);
}

async fn bytes(way: Way) {
    binary(
        way,
        r#"452-["message",{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}]"#,
        r#"452-["message-back",{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}]"#,
    )
    .await;
}

async fn text_with_an_acknowledgement(way: Way) {
    let server = Server::start(way, Pace::Calm).await;
    let mut ws = Ws::enter(server.address).await;
    ws.say(r#"42456["message-with-ack",1,"2",{"3":[false]}]"#).await;
    assert_eq!(ws.listen().await, r#"43456[1,"2",{"3":[false]}]"#);
}

async fn bytes_with_an_acknowledgement(way: Way) {
    binary(
        way,
        r#"452-789["message-with-ack",{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}]"#,
        r#"462-789[{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}]"#,
    )
    .await;
}

async fn ends_with(way: Way, packet: &str) {
    let server = Server::start(way, Pace::Calm).await;
    let mut ws = Ws::enter(server.address).await;
    ws.say(packet).await;
    let heard = soon(ws.hear_the_end()).await;
    assert!(heard.iter().all(|packet| packet == "1"), "{heard:?}");
}

async fn a_type_that_is_none_ends_the_connection(way: Way) {
    ends_with(way, "4abc").await;
}

async fn a_payload_that_is_none_ends_the_connection(way: Way) {
    ends_with(way, "42{}").await;
}

async fn a_number_that_is_none_ends_the_connection(way: Way) {
    ends_with(way, r#"42abc["message-with-ack",1,"2",{"3":[false]}]"#).await;
}

async fn an_acknowledgement_that_nobody_asked_for_ends_the_connection(way: Way) {
    ends_with(way, "431[]").await;
}

async fn a_second_handshake_ends_the_connection(way: Way) {
    ends_with(way, "40").await;
}
