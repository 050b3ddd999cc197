//! Which events are handled, and when that is told to the broker.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::pedantic,
    missing_docs,
    reason = "tests"
)]

mod support;

use parlour_contracts::identity::v1::{AccountDeleted, ProfileUpdated};
use parlour_db::{Scope, Tx};
use parlour_events::{Consumer, ConsumerSettings, Failure, Incoming};
use support::{CONSUMER, Running, World, eventually, publish, quick, record};
use tokio_util::sync::CancellationToken;

fn run(world: &World, settings: ConsumerSettings, consumer: Consumer) -> Running {
    let stop = world.stop.child_token();
    let task = consumer.spawn(world.db(CONSUMER), world.broker(), settings, stop.clone());
    Running { stop, task }
}

/// Records what is not dull, and only that.
fn not_dull() -> Consumer {
    Consumer::new(CONSUMER)
        .on(async |tx: &mut Tx, event: Incoming<ProfileUpdated>| record(tx, &event).await)
        .only(|event: &ProfileUpdated| event.username != "dull")
}

/// What is of no interest is acknowledged, whoever hears of it, and leaves no note.
#[tokio::test(flavor = "multi_thread")]
async fn only_what_is_of_interest_is_handled() {
    let world = World::new().await;
    let (db, _relay) = world.relay();
    let _consumer = run(&world, quick(), not_dull());
    world.bound().await;
    for word in ["one", "dull", "dull", "two", "dull", "three"] {
        publish(&db, "account:1", word).await;
    }
    world
        .eventually_words("account:1", &["one", "two", "three"])
        .await;
    assert_eq!(world.count("orders.inbox").await, 3);
    assert_eq!(world.count("orders.parked").await, 0);
}

/// What was put aside before it was known to be of no interest leaves the ladder without an effect.
#[tokio::test(flavor = "multi_thread")]
async fn what_waits_for_another_try_may_lose_its_interest() {
    let world = World::new().await;
    let (db, _relay) = world.relay();
    let former = world.consumer(|_| Err(Failure::retry("not yet"))).await;
    publish(&db, "account:1", "dull").await;
    world.eventually_count("orders.parked", 1).await;
    former.stop().await;
    world
        .sql
        .execute(
            "UPDATE orders.parked SET state = 'retrying', not_before = now()",
            &[],
        )
        .await
        .unwrap();
    let _consumer = run(&world, quick(), not_dull());
    eventually("it is not put aside any more", async || {
        (world.count("orders.parked").await == 0).then_some(())
    })
    .await;
    assert!(world.words("account:1").await.is_empty());
}

/// A type that is not listened to any more leaves the queue, and what is in it does not fail.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_retired_leaves_the_queue() {
    let world = World::new().await;
    let (db, _relay) = world.relay();
    let queue = parlour_events::queue(CONSUMER);
    let deleted = async |_: &mut Tx, _: Incoming<AccountDeleted>| Ok::<_, Failure>(());
    // One worker, so that what comes last is handled last.
    let settings = ConsumerSettings {
        workers: 1,
        ..quick()
    };
    let former = Consumer::new(CONSUMER)
        .on(deleted)
        .on(async |_: &mut Tx, _: Incoming<ProfileUpdated>| Ok::<_, Failure>(()));
    let former = run(&world, settings.clone(), former);
    world.bound().await;
    former.stop().await;
    for n in 0..20 {
        publish(&db, &format!("account:{n}"), "left behind").await;
    }
    eventually("everything is published", async || {
        (world.count("identity.outbox WHERE published_at IS NULL").await == 0).then_some(())
    })
    .await;
    db.write(Scope::Service, async |tx: &mut Tx| {
        parlour_events::publish(tx, "account:1", &AccountDeleted::default()).await
    })
    .await
    .unwrap();
    let consumer = Consumer::new(CONSUMER).on(deleted).retired::<ProfileUpdated>();
    assert_eq!(consumer.types(), ["identity.account.deleted"]);
    let _running = run(&world, settings, consumer);
    eventually("one binding", async || {
        (world.rabbit.bindings(&queue).await == ["identity.account.deleted"]).then_some(())
    })
    .await;
    world
        .eventually_count("orders.inbox WHERE type = 'identity.account.deleted'", 1)
        .await;
    assert_eq!(world.count("orders.inbox").await, 1);
    assert_eq!(world.count("orders.parked").await, 0);
}

/// An acknowledgement that waits for others does not wait longer than its consumer lives.
#[tokio::test(flavor = "multi_thread")]
async fn what_took_effect_before_a_stop_is_not_delivered_again() {
    let world = World::new().await;
    let (db, _relay) = world.relay();
    let stop = CancellationToken::new();
    let ends = stop.clone();
    let consumer = world
        .consumer(move |event| {
            if event.data.username == "last" {
                ends.cancel();
            }
            Ok(())
        })
        .await;
    for word in ["one", "two", "last"] {
        publish(&db, "account:1", word).await;
    }
    stop.cancelled().await;
    consumer.stop().await;
    assert_eq!(world.words("account:1").await, ["one", "two", "last"]);
    let queue = parlour_events::queue(CONSUMER);
    assert_eq!(world.rabbit.purge(&queue).await, 0);
}
