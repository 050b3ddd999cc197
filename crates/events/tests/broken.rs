//! Messages that are broken, and handlers that break.
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
use std::sync::atomic::{AtomicBool, Ordering};

use parlour_contracts::identity::v1::ProfileUpdated;
use parlour_events::{ConsumerSettings, Failure, Incoming};
use support::{CONSUMER, World, eventually, publish, quick};

fn bad(event: &Incoming<ProfileUpdated>) -> bool {
    event.data.username.starts_with("bad")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_panic_is_a_failure_like_others() {
    let world = World::new().await;
    let (db, _relay) = world.relay();
    let panicked = Arc::new(AtomicBool::new(false));
    let once = panicked.clone();
    let _consumer = world
        .consumer(move |event| {
            assert!(!bad(event) || once.swap(true, Ordering::SeqCst), "on purpose");
            Ok(())
        })
        .await;
    publish(&db, "account:1", "bad").await;
    publish(&db, "account:1", "good").await;
    world.eventually_words("account:1", &["bad", "good"]).await;
    assert!(panicked.load(Ordering::SeqCst));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_event_or_undecodable_is_parked_raw() {
    let world = World::new().await;
    let (db, _relay) = world.relay();
    let _consumer = world.consumer(|_| Ok(())).await;
    let body = serde_json::json!({
        "properties": {"message_id": "x"}, "routing_key": "identity.profile.updated",
        "payload": "hello", "payload_encoding": "string",
    });
    world
        .rabbit
        .post(
            &format!("exchanges/{}/parlour.events/publish", world.rabbit.vhost()),
            body,
        )
        .await;
    publish(&db, "account:1", "good").await;
    world.sql.execute("UPDATE identity.outbox SET payload = '\\xffff', published_at = NULL, id = gen_random_uuid(), version = 2", &[]).await.unwrap();
    eventually("both are parked", async || {
        (world.count("orders.parked WHERE state = 'parked'").await == 2).then_some(())
    })
    .await;
    let raw = world
        .sql
        .query_one(
            "SELECT payload FROM orders.parked WHERE aggregate LIKE 'unreadable:%'",
            &[],
        )
        .await
        .unwrap();
    assert_eq!(raw.get::<_, Vec<u8>>(0), b"hello");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_type_goes_down_the_ladder_and_is_parked() {
    let world = World::new().await;
    let (db, _relay) = world.relay();
    let _consumer = world.consumer(|_| Ok(())).await;
    let queue = parlour_events::queue(CONSUMER);
    world
        .rabbit
        .bind("parlour.events", &queue, "identity.account.deleted")
        .await;
    let event = parlour_contracts::identity::v1::AccountDeleted::default();
    db.write(
        parlour_db::Scope::Service,
        async move |tx: &mut parlour_db::Tx| parlour_events::publish(tx, "account:1", &event).await,
    )
    .await
    .unwrap();
    eventually("parked", async || {
        (world
            .count("orders.parked WHERE state = 'parked' AND attempts = 5")
            .await
            == 1)
            .then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_kills_its_consumer_again_and_again_is_parked_untried() {
    let world = World::new().await;
    let (db, _relay) = world.relay();
    let settings = ConsumerSettings {
        crash_limit: 3,
        ..quick()
    };
    // The queue stands, nobody consumes.
    world
        .consumer_with(settings.clone(), |_| Ok(()))
        .await
        .stop()
        .await;
    publish(&db, "account:1", "bad").await;
    for _ in 0..3 {
        world
            .rabbit
            .take_and_crash(&parlour_events::queue(CONSUMER), 1)
            .await;
    }
    let _consumer = world
        .consumer_with(settings, |event| {
            if bad(event) {
                Err(Failure::retry("tried"))
            } else {
                Ok(())
            }
        })
        .await;
    eventually("parked untried", async || {
        (world
            .count("orders.parked WHERE state = 'parked' AND last_error LIKE '%kill%'")
            .await
            == 1)
            .then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_broker_gives_up_is_parked() {
    let world = World::new().await;
    let (db, _relay) = world.relay();
    let settings = ConsumerSettings {
        crash_limit: 100,
        delivery_limit: 2,
        ..quick()
    };
    world
        .consumer_with(settings.clone(), |_| Ok(()))
        .await
        .stop()
        .await;
    publish(&db, "account:1", "bad").await;
    for _ in 0..3 {
        world
            .rabbit
            .take_and_crash(&parlour_events::queue(CONSUMER), 1)
            .await;
    }
    let _consumer = world.consumer_with(settings, |_| Ok(())).await;
    eventually("parked", async || {
        (world
            .count("orders.parked WHERE state = 'parked' AND last_error LIKE '%gave up%'")
            .await
            == 1)
            .then_some(())
    })
    .await;
    assert!(world.words("account:1").await.is_empty());
}

/// PostgreSQL answers COMMIT in a broken transaction with a silent rollback.
#[tokio::test(flavor = "multi_thread")]
async fn a_handler_that_hides_a_broken_statement_does_not_lose_the_event() {
    let world = World::new().await;
    let (db, _relay) = world.relay();
    let consumer = parlour_events::Consumer::new(CONSUMER).on(
        async |tx: &mut parlour_db::Tx, _: Incoming<ProfileUpdated>| {
            let broken = diesel::sql_query("INSERT INTO no_such_table VALUES (1)");
            drop(diesel_async::RunQueryDsl::execute(broken, &mut **tx).await);
            Ok::<_, Failure>(())
        },
    );
    let _task = consumer.spawn(
        world.db(CONSUMER),
        world.broker(),
        quick(),
        world.stop.child_token(),
    );
    world.bound().await;
    publish(&db, "account:1", "kept").await;
    eventually("parked", async || {
        (world.count("orders.parked WHERE state = 'parked'").await == 1).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_that_breaks_its_connection_is_parked_and_stops_nobody() {
    let world = World::new().await;
    let (db, _relay) = world.relay();
    let consumer = parlour_events::Consumer::new(CONSUMER).on(
        async |tx: &mut parlour_db::Tx, event: Incoming<ProfileUpdated>| {
            if bad(&event) {
                let end = diesel::sql_query("SELECT pg_terminate_backend(pg_backend_pid())");
                diesel_async::RunQueryDsl::execute(end, &mut **tx).await?;
            }
            support::record(tx, &event).await
        },
    );
    let _task = consumer.spawn(
        world.db(CONSUMER),
        world.broker(),
        quick(),
        world.stop.child_token(),
    );
    world.bound().await;
    publish(&db, "account:1", "bad").await;
    publish(&db, "account:2", "good").await;
    world.eventually_words("account:2", &["good"]).await;
    eventually("parked", async || {
        (world
            .count("orders.parked WHERE state = 'parked' AND attempts = 5")
            .await
            == 1)
            .then_some(())
    })
    .await;
}
