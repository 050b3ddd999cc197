//! Events that cannot be handled, and what an operator does about them.
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
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use parlour_contracts::identity::v1::ProfileUpdated;
use parlour_db::Lanes;
use parlour_events::admin::{self, AdminError, Operator};
use parlour_events::{Failure, Incoming};
use support::{CONSUMER, World, eventually, publish};

fn bad(event: &Incoming<ProfileUpdated>) -> bool {
    event.data.username.starts_with("bad")
}

/// Refuses the bad as poison while `strict`.
fn judge(
    strict: &Arc<AtomicBool>,
) -> impl Fn(&Incoming<ProfileUpdated>) -> Result<(), Failure> + Clone + Send + Sync + 'static {
    let strict = strict.clone();
    move |event| {
        if bad(event) && strict.load(Ordering::SeqCst) {
            return Err(Failure::poison("it is bad"));
        }
        Ok(())
    }
}

async fn states(world: &World) -> Vec<(String, String, i64)> {
    let rows = world
        .sql
        .query(
            "SELECT aggregate, state, version FROM orders.parked ORDER BY aggregate, version",
            &[],
        )
        .await
        .unwrap();
    rows.iter().map(|r| (r.get(0), r.get(1), r.get(2))).collect()
}

/// `bad` of account:1 is parked and two wait behind it; account:2 is not concerned.
async fn park(world: &World, db: &parlour_db::Db) -> uuid::Uuid {
    publish(db, "account:1", "first").await;
    let id = publish(db, "account:1", "bad").await;
    publish(db, "account:1", "second").await;
    publish(db, "account:1", "third").await;
    publish(db, "account:2", "other").await;
    world.eventually_words("account:2", &["other"]).await;
    let expected = [
        ("account:1".into(), "parked".into(), 2),
        ("account:1".into(), "waiting".into(), 3),
        ("account:1".into(), "waiting".into(), 4),
    ];
    eventually("one parked, two waiting", async || {
        (states(world).await == expected).then_some(())
    })
    .await;
    assert_eq!(world.words("account:1").await, ["first"]);
    id
}

#[tokio::test(flavor = "multi_thread")]
async fn poison_is_parked_and_a_replay_resumes_in_order() {
    let world = World::new().await;
    let strict = Arc::new(AtomicBool::new(true));
    let (db, _relay) = world.relay();
    let _consumer = world.consumer(judge(&strict)).await;
    let id = park(&world, &db).await;

    let orders = world.db(CONSUMER);
    let list = admin::parked(&orders, 10).await.unwrap();
    assert_eq!(list.len(), 3);
    let shown = admin::show(&orders, id).await.unwrap();
    assert_eq!((shown.attempts, shown.last_error.as_str()), (1, "it is bad"));
    assert_eq!(shown.event.data["username"], "bad");
    let waits = admin::replay(&orders, list[1].event.id).await.unwrap_err();
    assert!(matches!(waits, AdminError::Waits(head) if head == id));

    // Still bad: it is parked again, and nothing has overtaken it.
    admin::replay(&orders, id).await.unwrap();
    eventually("tried again", async || {
        (admin::show(&orders, id).await.unwrap().state == "parked").then_some(())
    })
    .await;
    assert_eq!(world.words("account:1").await, ["first"]);

    strict.store(false, Ordering::SeqCst);
    admin::replay(&orders, id).await.unwrap();
    world
        .eventually_words("account:1", &["first", "bad", "second", "third"])
        .await;
    publish(&db, "account:1", "fourth").await;
    world
        .eventually_words("account:1", &["first", "bad", "second", "third", "fourth"])
        .await;
    assert_eq!(world.count("orders.parked").await, 0);
    assert!(matches!(
        admin::replay(&orders, id).await,
        Err(AdminError::NotParked(_))
    ));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dropped_event_is_gone_and_audited() {
    let world = World::new().await;
    let (db, _relay) = world.relay();
    let _consumer = world.consumer(judge(&Arc::new(AtomicBool::new(true)))).await;
    let id = park(&world, &db).await;
    let operator = Operator {
        actor_id: None,
        name: "pat".into(),
        address: "console".into(),
    };
    admin::drop_event(&world.db(CONSUMER), id, "a mistake", operator)
        .await
        .unwrap();
    world
        .eventually_words("account:1", &["first", "second", "third"])
        .await;
    assert_eq!(
        world
            .count("orders.outbox WHERE type = 'orders.audit.recorded'")
            .await,
        1
    );
    // A redelivery does not bring it back.
    world
        .sql
        .execute("UPDATE identity.outbox SET published_at = NULL", &[])
        .await
        .unwrap();
    publish(&db, "account:1", "fourth").await;
    world
        .eventually_words("account:1", &["first", "second", "third", "fourth"])
        .await;
    assert_eq!(world.count("orders.parked").await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_ladder_counts_attempts_and_ends_in_parking() {
    let world = World::new().await;
    let (db, _relay) = world.relay();
    let tries = Arc::new(AtomicU32::new(0));
    let counted = tries.clone();
    let _consumer = world
        .consumer(move |event| {
            if bad(event) {
                counted.fetch_add(1, Ordering::SeqCst);
                return Err(Failure::retry("not yet"));
            }
            Ok(())
        })
        .await;
    publish(&db, "account:1", "bad").await;
    publish(&db, "account:1", "good").await;
    eventually("parked", async || {
        (states(&world).await.first().is_some_and(|s| s.1 == "parked")).then_some(())
    })
    .await;
    assert_eq!(tries.load(Ordering::SeqCst), 5, "once, and once for each rung");
    assert_eq!(
        world
            .count("orders.parked WHERE state = 'parked' AND attempts = 5")
            .await,
        1
    );
    assert!(world.words("account:1").await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_that_recovers_lets_the_waiting_through_in_order() {
    let world = World::new().await;
    let (db, _relay) = world.relay();
    let tries = Arc::new(AtomicU32::new(0));
    let counted = tries.clone();
    let _consumer = world
        .consumer(move |event| {
            if bad(event) && counted.fetch_add(1, Ordering::SeqCst) < 3 {
                return Err(Failure::retry("not yet"));
            }
            Ok(())
        })
        .await;
    for word in ["bad", "a", "b", "c"] {
        publish(&db, "account:1", word).await;
    }
    world.eventually_words("account:1", &["bad", "a", "b", "c"]).await;
    assert_eq!(world.count("orders.parked").await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn duplicates_take_effect_once() {
    let world = World::new().await;
    let (db, _relay) = world.relay();
    let _consumer = world.consumer(|_| Ok(())).await;
    for n in 0..20 {
        publish(&db, &format!("account:{}", n % 4), "once").await;
    }
    world.eventually_count("orders.applied", 20).await;
    world
        .eventually_count("identity.outbox WHERE published_at IS NOT NULL", 20)
        .await;
    world
        .sql
        .execute("UPDATE identity.outbox SET published_at = NULL", &[])
        .await
        .unwrap();
    db.published().tell(Lanes::ALL);
    eventually("all published again", async || {
        (world.count("identity.outbox WHERE published_at IS NULL").await == 0).then_some(())
    })
    .await;
    for n in 0..4 {
        publish(&db, &format!("account:{n}"), "last").await;
    }
    world
        .eventually_count("orders.applied WHERE word = 'last'", 4)
        .await;
    world.assert_order(4, 6).await;
}
