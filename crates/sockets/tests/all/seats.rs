//! How many may be in.

use parlour_sockets::Settings;

use crate::support::{Polling, Server, Ws, calm, until};

fn two() -> Settings {
    Settings { most: 2, ..calm() }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_too_many_is_closed_and_comes_when_another_left() {
    let mut server = Server::start(two()).await;
    let first = Ws::enter(server.address).await;
    drop(server.told_connected().await);
    let _second = Ws::enter(server.address).await;
    drop(server.told_connected().await);
    assert!(Ws::open(server.address).await.is_none());
    assert!(Ws::open(server.address).await.is_none());
    drop(first);
    drop(server.told_gone().await);
    until(async || Ws::open(server.address).await.is_some()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_polls_has_a_place_also_without_a_connection() {
    let server = Server::start(two()).await;
    let _first = Polling::enter(server.address).await;
    // The handshake of a second has a connection beside, for which there is no place.
    assert!(Polling::open(server.address).await.is_none());
    let mut second = None;
    until(async || {
        second = Ws::open(server.address).await;
        second.is_some()
    })
    .await;
    assert!(Ws::open(server.address).await.is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_was_upgraded_has_one_place() {
    let mut server = Server::start(Settings { most: 3, ..calm() }).await;
    let session = Polling::enter(server.address).await;
    drop(server.told_connected().await);
    let there = session
        .there()
        .replace("http://", "ws://")
        .replace("=polling", "=websocket");
    let mut ws = Ws(tokio_tungstenite::connect_async(there).await.unwrap().0);
    ws.say("2probe").await;
    assert_eq!(ws.hear().await.unwrap(), "3probe");
    ws.say("5").await;
    ws.say("42[\"here\"]").await;
    server.told_said("here").await;
    // The connections of its polls end; two places are left.
    let mut others = Vec::new();
    until(async || {
        others.extend(Ws::open(server.address).await);
        others.len() == 2
    })
    .await;
    assert!(Ws::open(server.address).await.is_none());
}
