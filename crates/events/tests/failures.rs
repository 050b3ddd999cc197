//! Events that cannot be handled, and what an operator does about them.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::pedantic, missing_docs, reason = "tests")]

mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use parlour_contracts::identity::v1::ProfileUpdated;
use parlour_events::admin::{self, AdminError, Operator};
use parlour_events::{ConsumerSettings, Failure, Incoming};
use support::{CONSUMER, World, eventually, publish, quick};

fn bad(event: &Incoming<ProfileUpdated>) -> bool {
    event.data.username.starts_with("bad")
}

/// Refuses the bad as poison while `strict`.
fn judge(strict: &Arc<AtomicBool>) -> impl Fn(&Incoming<ProfileUpdated>) -> Result<(), Failure> + Clone + Send + Sync + 'static {
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
        .query("SELECT aggregate, state, version FROM orders.parked ORDER BY aggregate, version", &[])
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
    let expected = [("account:1".into(), "parked".into(), 2), ("account:1".into(), "waiting".into(), 3), ("account:1".into(), "waiting".into(), 4)];
    eventually("one parked, two waiting", async || (states(world).await == expected).then_some(())).await;
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
    eventually("tried again", async || (admin::show(&orders, id).await.unwrap().state == "parked").then_some(())).await;
    assert_eq!(world.words("account:1").await, ["first"]);

    strict.store(false, Ordering::SeqCst);
    admin::replay(&orders, id).await.unwrap();
    world.eventually_words("account:1", &["first", "bad", "second", "third"]).await;
    publish(&db, "account:1", "fourth").await;
    world.eventually_words("account:1", &["first", "bad", "second", "third", "fourth"]).await;
    assert_eq!(world.count("orders.parked").await, 0);
    assert!(matches!(admin::replay(&orders, id).await, Err(AdminError::NotParked(_))));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dropped_event_is_gone_and_audited() {
    let world = World::new().await;
    let (db, _relay) = world.relay();
    let _consumer = world.consumer(judge(&Arc::new(AtomicBool::new(true)))).await;
    let id = park(&world, &db).await;
    let operator = Operator { actor_id: None, address: "console".into() };
    admin::drop_event(&world.db(CONSUMER), id, "a mistake", operator).await.unwrap();
    world.eventually_words("account:1", &["first", "second", "third"]).await;
    assert_eq!(world.count("orders.outbox WHERE type = 'orders.audit.recorded'").await, 1);
    // A redelivery does not bring it back.
    world.sql.execute("UPDATE identity.outbox SET published_at = NULL", &[]).await.unwrap();
    publish(&db, "account:1", "fourth").await;
    world.eventually_words("account:1", &["first", "second", "third", "fourth"]).await;
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
    assert_eq!(world.count("orders.parked WHERE state = 'parked' AND attempts = 5").await, 1);
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
async fn duplicates_take_effect_once() {
    let world = World::new().await;
    let (db, _relay) = world.relay();
    let _consumer = world.consumer(|_| Ok(())).await;
    for n in 0..20 {
        publish(&db, &format!("account:{}", n % 4), "once").await;
    }
    world.eventually_count("orders.applied", 20).await;
    world.eventually_count("identity.outbox WHERE published_at IS NOT NULL", 20).await;
    world.sql.execute("UPDATE identity.outbox SET published_at = NULL", &[]).await.unwrap();
    db.published().notify_one();
    eventually("all published again", async || {
        (world.count("identity.outbox WHERE published_at IS NULL").await == 0).then_some(())
    })
    .await;
    for n in 0..4 {
        publish(&db, &format!("account:{n}"), "last").await;
    }
    world.eventually_count("orders.applied WHERE word = 'last'", 4).await;
    world.assert_order(4, 6).await;
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
    world.rabbit.post(&format!("exchanges/{}/parlour.events/publish", world.rabbit.vhost()), body).await;
    publish(&db, "account:1", "good").await;
    world.sql.execute("UPDATE identity.outbox SET payload = '\\xffff', published_at = NULL, id = gen_random_uuid(), version = 2", &[]).await.unwrap();
    eventually("both are parked", async || (world.count("orders.parked WHERE state = 'parked'").await == 2).then_some(())).await;
    let raw = world.sql.query_one("SELECT payload FROM orders.parked WHERE aggregate LIKE 'unreadable:%'", &[]).await.unwrap();
    assert_eq!(raw.get::<_, Vec<u8>>(0), b"hello");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_type_goes_down_the_ladder_and_is_parked() {
    let world = World::new().await;
    let (db, _relay) = world.relay();
    let _consumer = world.consumer(|_| Ok(())).await;
    let queue = parlour_events::queue(CONSUMER);
    world.rabbit.bind("parlour.events", &queue, "identity.account.deleted").await;
    let event = parlour_contracts::identity::v1::AccountDeleted::default();
    db.write(parlour_db::Scope::Service, async move |tx: &mut parlour_db::Tx| {
        parlour_events::publish(tx, "account:1", &event).await
    })
    .await
    .unwrap();
    eventually("parked", async || (world.count("orders.parked WHERE state = 'parked' AND attempts = 5").await == 1).then_some(())).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_kills_its_consumer_again_and_again_is_parked_untried() {
    let world = World::new().await;
    let (db, _relay) = world.relay();
    let settings = ConsumerSettings { crash_limit: 3, ..quick() };
    // The queue stands, nobody consumes.
    world.consumer_with(settings.clone(), |_| Ok(())).await.stop().await;
    publish(&db, "account:1", "bad").await;
    for _ in 0..3 {
        world.rabbit.take_and_crash(&parlour_events::queue(CONSUMER)).await;
    }
    let _consumer = world.consumer_with(settings, |event| if bad(event) { Err(Failure::retry("tried")) } else { Ok(()) }).await;
    eventually("parked untried", async || {
        (world.count("orders.parked WHERE state = 'parked' AND last_error LIKE '%kill%'").await == 1).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_broker_gives_up_is_parked() {
    let world = World::new().await;
    let (db, _relay) = world.relay();
    let settings = ConsumerSettings { crash_limit: 100, delivery_limit: 2, ..quick() };
    world.consumer_with(settings.clone(), |_| Ok(())).await.stop().await;
    publish(&db, "account:1", "bad").await;
    for _ in 0..3 {
        world.rabbit.take_and_crash(&parlour_events::queue(CONSUMER)).await;
    }
    let _consumer = world.consumer_with(settings, |_| Ok(())).await;
    eventually("parked", async || {
        (world.count("orders.parked WHERE state = 'parked' AND last_error LIKE '%gave up%'").await == 1).then_some(())
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
    let _task = consumer.spawn(world.db(CONSUMER), world.broker(), quick(), world.stop.child_token());
    world.bound().await;
    publish(&db, "account:1", "kept").await;
    eventually("parked", async || (world.count("orders.parked WHERE state = 'parked'").await == 1).then_some(())).await;
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
    let _task = consumer.spawn(world.db(CONSUMER), world.broker(), quick(), world.stop.child_token());
    world.bound().await;
    publish(&db, "account:1", "bad").await;
    publish(&db, "account:2", "good").await;
    world.eventually_words("account:2", &["good"]).await;
    eventually("parked", async || (world.count("orders.parked WHERE state = 'parked' AND attempts = 5").await == 1).then_some(())).await;
}
