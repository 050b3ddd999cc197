//! Watching, the log, traces, retention.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::pedantic,
    missing_docs,
    reason = "tests"
)]

mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use parlour_contracts::identity::v1::ProfileUpdated;
use parlour_events::admin::{self, Start};
use parlour_events::retention::{Retention, Swept, sweep};
use parlour_events::{Cause, Envelope};
use support::{CONSUMER, PUBLISHER, World, eventually, publish};
use tokio::sync::{Semaphore, mpsc};
use tokio::time::timeout;

#[tokio::test(flavor = "multi_thread")]
async fn a_watch_catches_up_before_it_handles_and_after_each_cut() {
    let world = World::new().await;
    let (db, _relay) = world.relay();
    let (seen, mut words) = mpsc::unbounded_channel();
    let (catching_up, allowed) = (Arc::new(AtomicUsize::new(0)), Arc::new(Semaphore::new(0)));
    let (count, gate) = (catching_up.clone(), allowed.clone());
    let mut caught_up = parlour_events::watch::watch(
        world.broker(),
        &["identity.profile.updated"],
        move || {
            let (count, gate) = (count.clone(), gate.clone());
            async move {
                if count.fetch_add(1, Ordering::SeqCst) == 0 {
                    return Err::<(), Cause>("the first time it fails".into());
                }
                gate.acquire().await?.forget();
                Ok(())
            }
        },
        move |event: Envelope| {
            let seen = seen.clone();
            async move {
                let word = event.read::<ProfileUpdated>().unwrap().unwrap().username;
                drop(seen.send(word));
            }
        },
        world.stop.child_token(),
    );
    eventually("the second attempt", async || {
        (catching_up.load(Ordering::SeqCst) == 2).then_some(())
    })
    .await;
    publish(&db, "account:1", "while catching up").await;
    world
        .eventually_count("identity.outbox WHERE published_at IS NOT NULL", 1)
        .await;
    assert!(!*caught_up.borrow());
    assert!(
        words.try_recv().is_err(),
        "nothing is handled before it has caught up"
    );
    allowed.add_permits(1);
    assert_eq!(words.recv().await.unwrap(), "while catching up");
    assert!(*caught_up.wait_for(|up| *up).await.unwrap());

    eventually("a cut", async || (world.rabbit.cut().await > 0).then_some(())).await;
    timeout(Duration::from_secs(5), caught_up.wait_for(|up| !*up))
        .await
        .expect("the loss is reported")
        .unwrap();
    eventually("connected again", async || {
        (catching_up.load(Ordering::SeqCst) >= 3).then_some(())
    })
    .await;
    allowed.add_permits(100);
    timeout(Duration::from_secs(10), caught_up.wait_for(|up| *up))
        .await
        .expect("caught up again")
        .unwrap();
    publish(&db, "account:1", "after").await;
    assert_eq!(
        timeout(Duration::from_secs(20), words.recv())
            .await
            .unwrap()
            .unwrap(),
        "after"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_log_is_read_from_any_point() {
    let world = World::new().await;
    let (db, _relay) = world.relay();
    publish(&db, "account:1", "old").await;
    world
        .eventually_count("identity.outbox WHERE published_at IS NOT NULL", 1)
        .await;
    let broker = world.broker();
    let mut first = admin::tail(&broker, Start::First).await.unwrap();
    let shown = timeout(Duration::from_secs(10), first.next())
        .await
        .unwrap()
        .unwrap()
        .unwrap();
    assert_eq!(
        (
            shown.data["username"].as_str(),
            shown.source.as_str(),
            shown.version
        ),
        (Some("old"), "identity", 1)
    );
    let mut now = admin::tail(&broker, Start::Now).await.unwrap();
    let mut since = admin::tail(&broker, Start::At(shown.time + Duration::from_micros(1)))
        .await
        .unwrap();
    publish(&db, "account:1", "new").await;
    for tail in [&mut now, &mut since, &mut first] {
        let shown = timeout(Duration::from_secs(10), tail.next())
            .await
            .unwrap()
            .unwrap()
            .unwrap();
        assert_eq!(shown.data["username"], "new");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sweep_keeps_what_may_come_again() {
    let world = World::new().await;
    let (db, relay) = world.relay();
    let consumer = world.consumer(|_| Ok(())).await;
    for n in 0..5 {
        publish(&db, "account:1", &n.to_string()).await;
    }
    world.eventually_settled().await;
    relay.stop().await;
    consumer.stop().await;
    publish(&db, "account:1", "unpublished").await;
    world
        .sql
        .batch_execute(
            "UPDATE identity.outbox SET created_at = created_at - interval '30 days', published_at = published_at - interval '30 days' WHERE version <> 5;
             UPDATE orders.inbox SET received_at = received_at - interval '7 days' WHERE version <= 2;
             UPDATE orders.inbox SET received_at = received_at - interval '9 days' WHERE version = 3;",
        )
        .await
        .unwrap();
    let shortest = Retention {
        outbox_days: 0,
        inbox_days: 0,
    };
    assert_eq!(
        sweep(&world.db(PUBLISHER), shortest).await.unwrap(),
        Swept { outbox: 4, inbox: 0 }
    );
    assert_eq!(
        sweep(&world.db(CONSUMER), shortest).await.unwrap(),
        Swept { outbox: 0, inbox: 1 }
    );
    assert_eq!(world.count("identity.outbox WHERE published_at IS NULL").await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn readiness_follows_the_connection() {
    let world = World::new().await;
    let broker = world.broker();
    assert!(!broker.is_up());
    broker.ping().await.unwrap();
    assert!(broker.is_up());
    eventually("a cut", async || (world.rabbit.cut().await > 0).then_some(())).await;
    eventually("down", async || (!broker.is_up()).then_some(())).await;
    broker.ping().await.unwrap();
    assert!(broker.is_up());
    broker.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn deliveries_wait_while_the_database_is_away() {
    let world = World::new().await;
    let (db, _relay) = world.relay();
    let _consumer = world.consumer(|_| Ok(())).await;
    publish(&db, "account:0", "before").await;
    world.eventually_words("account:0", &["before"]).await;
    // The consumer's role may not connect any more: for it the database is away.
    let away = format!(
        "REVOKE CONNECT ON DATABASE {0} FROM PUBLIC; GRANT CONNECT ON DATABASE {0} TO test_identity;
         SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'test_orders' AND datname = '{0}'",
        world.name
    );
    world.sql.batch_execute(&away).await.unwrap();
    for n in 0..30 {
        publish(&db, &format!("account:{n}"), "during").await;
    }
    world
        .eventually_count("identity.outbox WHERE published_at IS NOT NULL", 31)
        .await;
    assert_eq!(world.count("orders.applied").await, 1);
    world
        .sql
        .batch_execute(&format!("GRANT CONNECT ON DATABASE {} TO PUBLIC", world.name))
        .await
        .unwrap();
    world.eventually_count("orders.applied", 31).await;
    assert_eq!(
        world.count("orders.parked").await,
        0,
        "an outage says nothing of the events"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_comes_back_that_nobody_needs_now() {
    let world = World::new().await;
    let broker = world.broker();
    broker.ping().await.unwrap();
    assert!(broker.is_up());
    eventually("a cut", async || (world.rabbit.cut().await > 0).then_some(())).await;
    // Without a pause, since it may be up again in a moment.
    let lost = async {
        while broker.is_up() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(45), lost)
        .await
        .expect("the loss is noticed");
    eventually("it is up again", async || broker.is_up().then_some(())).await;
}
