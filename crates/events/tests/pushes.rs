//! What only matters now.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::pedantic,
    missing_docs,
    reason = "tests"
)]

mod support;

use std::time::Duration;

use parlour_events::realtime::{Push, Target};
use parlour_events::{Broker, BrokerSettings, Realtime};
use support::{World, eventually};
use tokio::sync::{mpsc, watch};
use tokio::time::timeout;

/// The pushes to people that a process hears.
fn listen(world: &World, broker: &Broker) -> (watch::Receiver<bool>, mpsc::UnboundedReceiver<Push>) {
    let (sender, pushes) = mpsc::unbounded_channel();
    let hear = move |push: Push| drop(sender.send(push));
    let realtime = Realtime::new(broker.clone());
    (
        realtime.subscribe(&["user.*"], hear, world.stop.child_token()),
        pushes,
    )
}

/// A push to somebody.
fn numbered(number: usize) -> Push {
    Push {
        target: Target::User(uuid::Uuid::nil()),
        name: "numbered".into(),
        payload: serde_json::json!(number),
    }
}

/// A process hears its own pushes without the broker, and not a second time from there.
#[tokio::test(flavor = "multi_thread")]
async fn a_process_hears_its_own_pushes_once_and_at_once() {
    let world = World::new().await;
    let broker = world.broker();
    let (mut up, mut pushes) = listen(&world, &broker);
    let (mut others_up, mut heard_elsewhere) = listen(&world, &world.broker());
    up.wait_for(|up| *up).await.unwrap();
    others_up.wait_for(|up| *up).await.unwrap();
    let own: Vec<Push> = (0..50).map(numbered).collect();
    let span = tracing::Span::none();
    let handed: Vec<_> = own.iter().map(|push| (push, &span)).collect();
    let (sent, error) = Realtime::new(broker.clone()).send_all(&handed).await;
    assert!(sent == 50 && error.is_none(), "{sent}: {error:?}");
    for expected in &own {
        assert_eq!(pushes.try_recv().as_ref(), Ok(expected));
        let elsewhere = timeout(Duration::from_secs(5), heard_elsewhere.recv()).await;
        assert_eq!(elsewhere.unwrap().as_ref(), Some(expected));
    }
    let told = Realtime::new(broker.clone());
    let afar: Vec<_> = (0..50).map(|n| told.tell_here(numbered(n))).collect();
    let ended = told.send_afar(afar.into_iter()).await;
    assert!(ended.is_ok(), "{ended:?}");
    for expected in &own {
        assert_eq!(pushes.try_recv().as_ref(), Ok(expected));
        let elsewhere = timeout(Duration::from_secs(5), heard_elsewhere.recv()).await;
        assert_eq!(elsewhere.unwrap().as_ref(), Some(expected));
    }
    let last = numbered(50);
    let others = Realtime::new(world.broker());
    others
        .send(&last.target, &last.name, &last.payload)
        .await
        .unwrap();
    let next = timeout(Duration::from_secs(5), pushes.recv()).await;
    assert_eq!(next.unwrap(), Some(last));
}

/// What nobody sends again is heard at home also where there is no way to the others.
#[tokio::test(flavor = "multi_thread")]
async fn a_process_hears_its_own_pushes_while_the_broker_is_away() {
    let world = World::new().await;
    let away = Broker::new(BrokerSettings::at("amqp://guest:guest@127.0.0.1:1/%2f")).unwrap();
    let (_, mut pushes) = listen(&world, &away);
    let realtime = Realtime::new(away);
    let span = tracing::Span::none;
    for number in 0..3 {
        let afar = realtime.tell_here(numbered(number));
        assert_eq!(pushes.try_recv(), Ok(numbered(number)));
        let ended = realtime.send_afar([afar].into_iter()).await;
        assert!(ended.is_err(), "{ended:?}");
    }
    let all: Vec<Push> = (3..6).map(numbered).collect();
    let none = span();
    let handed: Vec<_> = all.iter().map(|push| (push, &none)).collect();
    let (sent, error) = realtime.send_all(&handed).await;
    assert!(sent == 0 && error.is_some(), "{sent}: {error:?}");
    assert!(
        pushes.try_recv().is_err(),
        "its sender sends it again, and it is heard once"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn pushes_reach_those_who_listen() {
    let world = World::new().await;
    // Another process than the one that sends.
    let (mut up, mut pushes) = listen(&world, &world.broker());
    up.wait_for(|up| *up).await.unwrap();
    let realtime = Realtime::new(world.broker());
    let target = Target::User(uuid::Uuid::now_v7());
    let payload = serde_json::json!({"typing": true, "name": "أحمد"});
    realtime
        .send(&Target::Role("monitor".into()), "alert", &payload)
        .await
        .unwrap();
    realtime.send(&target, "typing", &payload).await.unwrap();
    let push = timeout(Duration::from_secs(5), pushes.recv())
        .await
        .unwrap()
        .unwrap();
    assert_eq!(
        push,
        Push {
            target: target.clone(),
            name: "typing".into(),
            payload: payload.clone()
        }
    );

    let many: Vec<Push> = (0..100)
        .map(|number| Push {
            target: target.clone(),
            name: "numbered".into(),
            payload: serde_json::json!(number),
        })
        .collect();
    let span = tracing::Span::none();
    let of_others = Push {
        target: Target::Role("monitor".into()),
        ..numbered(0)
    };
    let mut handed: Vec<_> = many.iter().map(|push| (push, &span)).collect();
    handed.insert(50, (&of_others, &span));
    let (sent, error) = realtime.send_all(&handed).await;
    assert!(sent == 101 && error.is_none(), "{sent}: {error:?}");
    for expected in &many {
        let push = timeout(Duration::from_secs(5), pushes.recv()).await.unwrap();
        assert_eq!(push.as_ref(), Some(expected));
    }

    eventually("a cut", async || (world.rabbit.cut().await > 0).then_some(())).await;
    // It may be up again before this looks; that it changed since it was up says enough.
    timeout(Duration::from_secs(5), up.changed())
        .await
        .expect("the loss is reported")
        .unwrap();
    up.wait_for(|up| *up).await.unwrap();
    eventually("heard again", async || {
        drop(realtime.send(&target, "again", &payload).await);
        let push = timeout(Duration::from_millis(200), pushes.recv()).await.ok()??;
        (push.name == "again").then_some(())
    })
    .await;
}
