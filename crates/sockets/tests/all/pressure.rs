//! Clients that say too much and clients that take too little.

use std::time::Duration;

use parlour_sockets::{Gone, Packet, SendError, Settings};
use serde_json::json;

use crate::support::{Polling, Server, Told, Ws, calm, event, until};

#[tokio::test(flavor = "multi_thread")]
async fn who_says_more_than_may_wait_is_refused() {
    let mut server = Server::start(calm()).await;
    let mut ws = Ws::enter(server.address).await;
    server.told_connected().await;
    ws.say(&event("hold")).await;
    // Until it is closed: what waits is bounded, whatever the client does.
    for _ in 0..1000 {
        let said = futures_util::SinkExt::send(&mut ws.0, event("more").into()).await;
        if said.is_err() {
            break;
        }
    }
    while ws.hear().await.is_some() {}
    server.program.gate.add_permits(1);
    server.told_said("hold").await;
    let mut handled = 0;
    let gone = loop {
        match server.told().await {
            Told::Said(_) => handled += 1,
            Told::Gone(_, gone) => break gone,
            Told::Connected(..) => panic!("it came twice"),
        }
    };
    assert_eq!(gone, Gone::Refused);
    assert!(handled <= 128, "{handled} waited");
    server.told_nothing_more().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_stops_reading_is_told_apart_and_ends() {
    let mut server = Server::start(Settings {
        // Who polls has a place and its connection has one.
        most: 4,
        stalled: Duration::from_secs(2),
        ..calm()
    })
    .await;
    let stuck = Ws::enter(server.address).await;
    let stuck_conn = server.told_connected().await;
    let mut other = Ws::enter(server.address).await;
    let other_conn = server.told_connected().await;
    let _polling = Polling::enter(server.address).await;
    let polling_conn = server.told_connected().await;
    let packet = Packet::event("big", &json!("x".repeat(64 * 1024)));
    // What the system and the transport take is bounded, and then the queue is full.
    let mut taken = 0;
    until(async || {
        while stuck_conn.send(&packet).is_ok() {
            taken += 1;
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
        stuck_conn.send(&packet) == Err(SendError::Full)
    })
    .await;
    assert!(taken < 1000, "{taken} packets of 64 KiB went nowhere");
    // Nobody else feels it.
    for _ in 0..100 {
        other_conn.send(&packet).unwrap();
        assert_eq!(other.hear().await.unwrap().len(), 64 * 1024 + 12);
    }
    // Who does not poll has the same queue and nothing beyond.
    let mut waiting = 0;
    while polling_conn.send(&packet).is_ok() {
        waiting += 1;
    }
    assert!((15..=16).contains(&waiting), "{waiting} packets wait");
    assert_eq!(polling_conn.send(&packet), Err(SendError::Full));
    // Its connection is cut though it never reads, and its place is free again.
    stuck_conn.close();
    assert_eq!(stuck_conn.send(&packet), Err(SendError::Gone));
    assert_eq!(server.told_gone().await, ("/".to_owned(), Gone::Closed));
    drop(stuck_conn);
    let mut others = Vec::new();
    until(async || {
        others.extend(Ws::open(server.address).await);
        others.len() == 2
    })
    .await;
    drop(stuck);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_stops_reading_is_cut_off_by_itself() {
    let mut server = Server::start(Settings {
        stalled: Duration::from_secs(2),
        ..calm()
    })
    .await;
    let stuck = Ws::enter(server.address).await;
    let conn = server.told_connected().await;
    let packet = Packet::event("big", &json!("x".repeat(64 * 1024)));
    until(async || {
        tokio::time::sleep(Duration::from_millis(20)).await;
        while conn.send(&packet).is_ok() {}
        conn.send(&packet) == Err(SendError::Gone) || !conn.is_open()
    })
    .await;
    let (_, gone) = server.told_gone().await;
    assert_eq!(gone, Gone::Broken);
    drop(stuck);
}
