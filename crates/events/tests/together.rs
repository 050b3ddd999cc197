//! What waits takes effect together.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::pedantic,
    missing_docs,
    reason = "tests"
)]

mod support;

use parlour_contracts::identity::v1::ProfileUpdated;
use parlour_db::{DbError, Scope, Tx};
use parlour_events::{Consumer, ConsumerSettings, Failure, Gather, Incoming, Many};
use support::{CONSUMER, Running, World, eventually, profile, publish, quick, record};

const AGGREGATES: usize = 10;
const EACH: usize = 12;

/// One transaction at a time, so that the rest waits.
fn one_worker() -> ConsumerSettings {
    ConsumerSettings {
        workers: 1,
        ..quick()
    }
}

/// Events that wait at the broker for a consumer; the word of one of them is `odd`.
async fn backlog(world: &World, odd: &str) -> (parlour_db::Db, Running) {
    world.consumer(|_| Ok(())).await.stop().await;
    let (db, relay) = world.relay();
    for n in 0..EACH {
        for aggregate in 0..AGGREGATES {
            let word = if (n, aggregate) == (4, 3) { odd } else { "fine" };
            publish(&db, &format!("account:{aggregate}"), word).await;
        }
    }
    eventually("everything is published", async || {
        (world.count("identity.outbox WHERE published_at IS NULL").await == 0).then_some(())
    })
    .await;
    (db, relay)
}

async fn transactions(world: &World) -> i64 {
    let sql = "SELECT count(DISTINCT xmin::text) FROM orders.applied";
    world.sql.query_one(sql, &[]).await.unwrap().get(0)
}

/// All but what waits behind the odd one.
async fn assert_only_the_odd_one_is_parked(world: &World) {
    let behind = EACH - 4;
    let total = AGGREGATES * EACH;
    world
        .eventually_count("orders.applied", (total - behind) as i64)
        .await;
    eventually("it is parked, and those behind it wait", async || {
        let parked = world.count("orders.parked WHERE state = 'parked'").await;
        let waiting = world.count("orders.parked WHERE state = 'waiting'").await;
        ((parked, waiting) == (1, behind as i64 - 1)).then_some(())
    })
    .await;
    assert_eq!(world.words("account:3").await, ["fine"; 4]);
    assert_eq!(world.words("account:4").await, ["fine"; EACH]);
}

/// A consumer that reads events one by one and records them together.
fn gathering() -> Consumer {
    let recording = Gather::new(async |tx: &mut Tx, events: Vec<Incoming<ProfileUpdated>>| {
        for event in &events {
            if event.data.username == "bad" {
                return Err(Failure::poison("it is bad"));
            }
            record(tx, event).await?;
        }
        Ok(())
    });
    Consumer::new(CONSUMER).gather(&recording, |event: Incoming<ProfileUpdated>| {
        if event.data.username == "of no interest" {
            return Ok(None);
        }
        Ok(Some(event))
    })
}

async fn run(world: &World, settings: ConsumerSettings, consumer: Consumer) -> Running {
    let stop = world.stop.child_token();
    let task = consumer.spawn(world.db(CONSUMER), world.broker(), settings, stop.clone());
    Running { stop, task }
}

const ALL: i64 = (AGGREGATES * EACH) as i64;

#[tokio::test(flavor = "multi_thread")]
async fn what_is_gathered_shares_a_transaction_and_keeps_its_order() {
    let world = World::new().await;
    let _relay = backlog(&world, "fine").await;
    let _consumer = run(&world, one_worker(), gathering()).await;
    world.eventually_count("orders.applied", ALL).await;
    world.assert_order(AGGREGATES, EACH as i64).await;
    assert!(transactions(&world).await < ALL / 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_of_no_interest_is_taken_note_of() {
    let world = World::new().await;
    let _relay = backlog(&world, "of no interest").await;
    let _consumer = run(&world, one_worker(), gathering()).await;
    world.eventually_count("orders.inbox", ALL).await;
    assert_eq!(world.count("orders.applied").await, ALL - 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_at_a_time_when_the_settings_say_so() {
    let world = World::new().await;
    let _relay = backlog(&world, "fine").await;
    let settings = ConsumerSettings {
        batch: 1,
        ..one_worker()
    };
    let _consumer = run(&world, settings, gathering()).await;
    world.eventually_count("orders.applied", ALL).await;
    assert_eq!(transactions(&world).await, ALL);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_handler_with_an_effect_of_its_own_has_a_transaction_to_itself() {
    let world = World::new().await;
    let _relay = backlog(&world, "fine").await;
    let _consumer = world.consumer_with(one_worker(), |_| Ok(())).await;
    world.eventually_count("orders.applied", ALL).await;
    assert_eq!(transactions(&world).await, ALL);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_delivered_before_is_handled_alone() {
    let world = World::new().await;
    let _relay = backlog(&world, "fine").await;
    let queue = parlour_events::queue(CONSUMER);
    world.rabbit.take_and_crash(&queue, AGGREGATES * EACH).await;
    let _consumer = run(&world, one_worker(), gathering()).await;
    world.eventually_count("orders.applied", ALL).await;
    assert_eq!(transactions(&world).await, ALL);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_settled_is_one_event_s_failure() {
    let world = World::new().await;
    let _relay = backlog(&world, "bad").await;
    let _consumer = run(&world, one_worker(), gathering()).await;
    assert_only_the_odd_one_is_parked(&world).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn many_events_of_one_aggregate_are_numbered_as_they_were_added() {
    let world = World::new().await;
    let (db, _relay) = world.relay();
    let _consumer = world.consumer(|_| Ok(())).await;
    publish(&db, "account:2", "before").await;
    let many: Result<(), DbError> = db
        .write(Scope::Service, async |tx: &mut Tx| {
            let mut many = Many::default();
            for (aggregate, word) in [(2, "a"), (1, "b"), (2, "c"), (1, "d"), (2, "e")] {
                many.add(tx, format!("account:{aggregate}"), &profile(word))?;
            }
            many.write(tx).await
        })
        .await;
    many.unwrap();
    world.eventually_words("account:1", &["b", "d"]).await;
    world
        .eventually_words("account:2", &["before", "a", "c", "e"])
        .await;
    let wrong = "(SELECT FROM identity.outbox GROUP BY aggregate HAVING \
        array_agg(version ORDER BY seq) <> array_agg(version ORDER BY version)) w";
    assert_eq!(world.count(wrong).await, 0, "in the order of their numbers");
}
