//! The cases of Engine.IO 4 about how sessions go on and end.

use super::cases;
use super::client::{Polling, Ws, refusal, soon};
use super::server::{Pace, Server, Way, in_front_of, replicas};
use crate::support::until;

cases![
    polling_is_asked_whether_it_is_there,
    polling_without_an_answer_ends,
    a_websocket_is_asked_whether_it_is_there,
    a_websocket_without_an_answer_ends,
    a_client_leaves_by_polling,
    a_client_leaves_by_websocket,
    polling_becomes_a_websocket,
    a_waiting_poll_is_let_go_for_the_websocket,
    after_it_polls_are_refused,
    after_it_another_websocket_is_refused,
    a_websocket_of_no_session_is_refused,
    an_upgrade_that_fails_polls_on,
];

async fn polling_is_asked_whether_it_is_there(way: Way) {
    let server = Server::start(way, Pace::Published).await;
    let session = Polling::open(server.address).await;
    for _ in 0..3 {
        assert_eq!(session.poll().await, (200, "2".to_owned()));
        assert_eq!(session.say("3").await.0, 200);
    }
}

async fn polling_without_an_answer_ends(way: Way) {
    let server = Server::start(way, Pace::Published).await;
    let session = Polling::open(server.address).await;
    until("the end of the session", async || session.poll().await.0 == 400).await;
}

async fn a_websocket_is_asked_whether_it_is_there(way: Way) {
    let server = Server::start(way, Pace::Published).await;
    let mut ws = Ws::ready(server.address).await;
    for _ in 0..3 {
        assert_eq!(ws.hear().await, "2");
        ws.say("3").await;
    }
}

async fn a_websocket_without_an_answer_ends(way: Way) {
    let server = Server::start(way, Pace::Published).await;
    let mut ws = Ws::ready(server.address).await;
    assert_eq!(ws.hear_the_end().await, ["1"]);
}

async fn a_client_leaves_by_polling(way: Way) {
    let server = Server::start(way, Pace::Calm).await;
    // Nothing tells when a poll waits: it may come after the farewell, and is refused then.
    until("a poll that waited", async || {
        let session = Polling::enter(server.address).await;
        let (poll, said) = tokio::join!(session.listen(), session.say("1"));
        assert_eq!((said.0, session.poll().await.0), (200, 400));
        assert!(poll.0 == 400 || poll == (200, "6".to_owned()), "{poll:?}");
        poll.0 == 200
    })
    .await;
}

async fn a_client_leaves_by_websocket(way: Way) {
    let server = Server::start(way, Pace::Calm).await;
    let mut ws = Ws::enter(server.address).await;
    ws.say("1").await;
    ws.hear_the_end().await;
}

async fn polling_becomes_a_websocket(way: Way) {
    let server = Server::start(way, Pace::Calm).await;
    let session = Polling::enter(server.address).await;
    let mut ws = session.probe().await;
    assert_eq!(session.listen().await, (200, "6".to_owned()));
    // What is said between goes to whichever hears next.
    assert_eq!(session.say(r#"42["message","between"]"#).await.0, 200);
    ws.say("5").await;
    ws.say(r#"42["message","hello"]"#).await;
    assert_eq!(ws.listen().await, r#"42["message-back","between"]"#);
    assert_eq!(ws.listen().await, r#"42["message-back","hello"]"#);
}

async fn a_waiting_poll_is_let_go_for_the_websocket(way: Way) {
    let server = Server::start(way, Pace::Calm).await;
    let session = Polling::enter(server.address).await;
    let (poll, mut ws) = tokio::join!(session.listen(), session.probe());
    assert_eq!(poll, (200, "6".to_owned()));
    ws.say("5").await;
    ws.say(r#"42["message","hello"]"#).await;
    assert_eq!(ws.listen().await, r#"42["message-back","hello"]"#);
}

async fn after_it_polls_are_refused(way: Way) {
    let server = Server::start(way, Pace::Calm).await;
    let session = Polling::enter(server.address).await;
    let mut ws = session.probe().await;
    ws.say("5").await;
    until("the end of polling", async || session.poll().await.0 == 400).await;
    assert_eq!(session.say(r#"42["message","late"]"#).await.0, 400);
    ws.say(r#"42["message","hello"]"#).await;
    assert_eq!(ws.listen().await, r#"42["message-back","hello"]"#);
}

async fn after_it_another_websocket_is_refused(way: Way) {
    let server = Server::start(way, Pace::Calm).await;
    let session = Polling::enter(server.address).await;
    let mut ws = session.probe().await;
    ws.say("5").await;
    until("the end of polling", async || session.poll().await.0 == 400).await;
    let query = format!("EIO=4&transport=websocket&sid={}", session.sid);
    assert_eq!(refusal(server.address, &query).await, 400);
    ws.say(r#"42["message","hello"]"#).await;
    assert_eq!(ws.listen().await, r#"42["message-back","hello"]"#);
}

async fn a_websocket_of_no_session_is_refused(way: Way) {
    let server = Server::start(way, Pace::Calm).await;
    let query = "EIO=4&transport=websocket&sid=AAAAAAAAAAAAAAHs";
    assert_eq!(refusal(server.address, query).await, 400);
}

/// Beyond the suites: a network that lets `WebSockets` through halfway.
async fn an_upgrade_that_fails_polls_on(way: Way) {
    let server = Server::start(way, Pace::Calm).await;
    let session = Polling::enter(server.address).await;
    drop(session.probe().await);
    // Until the end of the WebSocket is seen polls are let go at once.
    until("the end of the try", async || {
        let said = session.say(r#"42["message","hello"]"#).await;
        assert_eq!(said.0, 200);
        session.listen().await.1 != "6"
    })
    .await;
    let mut ws = session.probe().await;
    ws.say("5").await;
    ws.say(r#"42["message","again"]"#).await;
    while ws.listen().await != r#"42["message-back","again"]"# {}
}

/// Beyond the suites: replicas that only know their own, and a gateway that was not there.
#[tokio::test(flavor = "multi_thread")]
async fn sessions_are_found_among_replicas() {
    let (replicas, _stop) = replicas().await;
    let (one, other) = (in_front_of(&replicas).await, in_front_of(&replicas).await);
    for _ in 0..4 {
        let mut session = Polling::enter(one.address).await;
        session.address = other.address;
        let mut ws = soon(session.probe()).await;
        ws.say("5").await;
        ws.say(r#"42["message","hello"]"#).await;
        assert_eq!(ws.listen().await, r#"42["message-back","hello"]"#);
    }
}
