//! From a transaction to a handler.
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
use parlour_db::{DbError, Scope, Tx};
use parlour_events::{Consumer, Failure, Incoming, RelaySettings};
use support::{CONSUMER, PUBLISHER, World, profile, publish, quick};

#[tokio::test(flavor = "multi_thread")]
async fn an_event_arrives_once_with_its_attributes() {
    let world = World::new().await;
    let (db, _relay) = world.relay();
    let _consumer = world.consumer(|_| Ok(())).await;
    let id = publish(&db, "account:1", "hello").await;
    world.eventually_words("account:1", &["hello"]).await;
    let row = world
        .sql
        .query_one("SELECT event_id, version FROM orders.applied", &[])
        .await
        .unwrap();
    assert_eq!((row.get::<_, uuid::Uuid>(0), row.get::<_, i64>(1)), (id, 1));
    world
        .eventually_count("identity.outbox WHERE published_at IS NOT NULL", 1)
        .await;
    assert_eq!(world.count("orders.inbox WHERE source = 'identity'").await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rollback_publishes_nothing() {
    let world = World::new().await;
    let (db, _relay) = world.relay();
    let _consumer = world.consumer(|_| Ok(())).await;
    let undone: Result<(), DbError> = db
        .write(Scope::Service, async |tx: &mut Tx| {
            parlour_events::publish(tx, "account:1", &profile("never")).await?;
            Err(DbError::NotFound)
        })
        .await;
    assert!(undone.is_err());
    publish(&db, "account:1", "after").await;
    world.eventually_words("account:1", &["after"]).await;
    assert_eq!(world.count("identity.outbox").await, 1);
    let row = world
        .sql
        .query_one("SELECT version FROM orders.applied", &[])
        .await
        .unwrap();
    assert_eq!(row.get::<_, i64>(0), 1, "the number was rolled back too");
}

/// A relay that would look by itself in an hour, and takes few events at a time.
fn woken() -> RelaySettings {
    RelaySettings {
        poll_ms: 3_600_000,
        in_flight: 32,
        ..Default::default()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_commit_wakes_the_relay_whatever_the_lane() {
    let world = World::new().await;
    let (db, _relay) = world.relay_with(woken());
    let _consumer = world.consumer(|_| Ok(())).await;
    // One at a time: the next would wake the relay for the one before.
    for n in 1..=40 {
        publish(&db, &format!("account:{n}"), "hello").await;
        world.eventually_count("orders.applied", n).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_commit_of_more_than_a_round_goes_out_whole() {
    let world = World::new().await;
    let (db, _relay) = world.relay_with(woken());
    let _consumer = world.consumer(|_| Ok(())).await;
    publish(&db, "account:first", "hello").await;
    world.eventually_count("orders.applied", 1).await;
    let many: Result<(), DbError> = db
        .write(Scope::Service, async |tx: &mut Tx| {
            // More of one aggregate than a round takes, and more aggregates than a lane gives.
            for _ in 0..40 {
                parlour_events::publish(tx, "account:long", &profile("more")).await?;
            }
            let mut wide = parlour_events::Many::default();
            for n in 0..100 {
                wide.add(tx, format!("account:{n}"), &profile("wide"))?;
            }
            wide.write(tx).await
        })
        .await;
    many.unwrap();
    world.eventually_count("orders.applied", 141).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn order_holds_with_concurrent_publishers_and_two_relays() {
    let world = World::new().await;
    let relays = [world.relay(), world.relay()];
    let _consumers = [world.consumer(|_| Ok(())).await, world.consumer(|_| Ok(())).await];
    let publishers = (0..8).map(|p| {
        let db = relays[p % 2].0.clone();
        tokio::spawn(async move {
            for n in 0..40 {
                publish(&db, &format!("account:{}", (n + p) % 10), &format!("{p}.{n}")).await;
            }
        })
    });
    futures_util::future::join_all(publishers).await;
    world.eventually_count("orders.applied", 320).await;
    world.assert_order(10, 32).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn bindings_follow_the_handlers() {
    let world = World::new().await;
    let queue = parlour_events::queue(CONSUMER);
    let both = Consumer::new(CONSUMER)
        .on(async |_: &mut Tx, _: Incoming<ProfileUpdated>| Ok::<_, Failure>(()))
        .on(async |_: &mut Tx, _: Incoming<AccountDeleted>| Ok::<_, Failure>(()));
    assert_eq!(
        both.types(),
        ["identity.account.deleted", "identity.profile.updated"]
    );
    let stop = world.stop.child_token();
    let task = both.spawn(world.db(CONSUMER), world.broker(), quick(), stop.clone());
    let expected = ["identity.account.deleted", "identity.profile.updated"];
    support::eventually("two bindings", async || {
        (world.rabbit.bindings(&queue).await == expected).then_some(())
    })
    .await;
    support::Running { stop, task }.stop().await;
    let _one = world.consumer(|_| Ok(())).await;
    support::eventually("one binding", async || {
        (world.rabbit.bindings(&queue).await == ["identity.profile.updated"]).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn audit_records_reach_their_handler() {
    let world = World::new().await;
    let (db, _relay) = world.relay();
    let (seen, mut records) = tokio::sync::mpsc::unbounded_channel();
    let consumer = Consumer::new(CONSUMER).on_audit(
        async move |_: &mut Tx, event: Incoming<parlour_contracts::events::v1::AuditRecorded>| {
            drop(seen.send(event));
            Ok(())
        },
    );
    let _task = consumer.spawn(
        world.db(CONSUMER),
        world.broker(),
        quick(),
        world.stop.child_token(),
    );
    world.bound().await;
    db.write(Scope::Service, async |tx: &mut Tx| {
        let entry = parlour_events::AuditEntry {
            action: "roles.granted".into(),
            target_type: "account".into(),
            target_id: "7".into(),
            after: Some(serde_json::json!({"roles": ["admin"]})),
            ..Default::default()
        };
        parlour_events::audit(tx, entry).await
    })
    .await
    .unwrap();
    let record = records.recv().await.unwrap();
    assert_eq!(record.event_type, format!("{PUBLISHER}.audit.recorded"));
    assert_eq!(
        (record.aggregate.as_str(), record.data.after.as_str()),
        ("audit:account:7", r#"{"roles":["admin"]}"#)
    );
}

/// A publisher that counts anew (after a restore, say) is noticed in the log, and its events are not applied over later ones.
#[tokio::test(flavor = "multi_thread")]
async fn versions_that_were_seen_are_skipped() {
    let world = World::new().await;
    let (db, _relay) = world.relay();
    let _consumer = world.consumer(|_| Ok(())).await;
    publish(&db, "account:1", "one").await;
    publish(&db, "account:1", "two").await;
    world.eventually_words("account:1", &["one", "two"]).await;
    world
        .sql
        .execute("UPDATE identity.aggregate_versions SET version = 1", &[])
        .await
        .unwrap();
    publish(&db, "account:1", "two again").await;
    publish(&db, "account:1", "three").await;
    world
        .eventually_words("account:1", &["one", "two", "three"])
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn migrations_go_up_down_and_up() {
    let world = World::new().await;
    let shape = "SELECT coalesce(string_agg(part, E'\n' ORDER BY part), '') FROM ( \
        SELECT table_name || '.' || column_name || ' ' || data_type FROM information_schema.columns \
          WHERE table_schema = 'identity' AND table_name NOT LIKE '\\_\\_%' \
        UNION ALL SELECT routine_name FROM information_schema.routines WHERE routine_schema = 'identity' \
        UNION ALL SELECT indexdef FROM pg_indexes WHERE schemaname = 'identity' AND tablename NOT LIKE '\\_\\_%' \
        ) AS parts (part)";
    let shape = async || world.sql.query_one(shape, &[]).await.unwrap().get::<_, String>(0);
    let before = shape().await;
    assert!(before.contains("outbox.lane") && before.contains("inbox_enter"));
    let _alone = World::alone_with_roles().await;
    parlour_db::revert_all(&world.settings, PUBLISHER, vec![parlour_events::MIGRATIONS])
        .await
        .unwrap();
    assert_eq!(shape().await, "");
    parlour_db::migrate(&world.settings, PUBLISHER, vec![parlour_events::MIGRATIONS])
        .await
        .unwrap();
    assert_eq!(shape().await, before);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_broker_would_refuse_is_refused_at_once() {
    let world = World::new().await;
    let db = world.db(PUBLISHER);
    let huge = "x".repeat(parlour_events::MAX_PAYLOAD);
    assert!(support::try_publish(&db, "account:1", &huge).await.is_err());
    assert_eq!(world.count("identity.outbox").await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn several_handlers_of_one_type_share_its_transaction() {
    let world = World::new().await;
    let (db, _relay) = world.relay();
    let twice = Consumer::new(CONSUMER)
        .on(async |tx: &mut Tx, event: Incoming<ProfileUpdated>| support::record(tx, &event).await)
        .on(async |tx: &mut Tx, mut event: Incoming<ProfileUpdated>| {
            if event.data.username == "no" {
                return Err(Failure::poison("no"));
            }
            event.data.username.push('!');
            support::record(tx, &event).await
        });
    assert_eq!(twice.types(), ["identity.profile.updated"]);
    let task = twice.spawn(world.db(CONSUMER), world.broker(), quick(), world.stop.clone());
    world.bound().await;
    publish(&db, "account:2", "no").await;
    publish(&db, "account:1", "yes").await;
    world.eventually_words("account:1", &["yes", "yes!"]).await;
    world.eventually_count("orders.parked", 1).await;
    assert!(
        world.words("account:2").await.is_empty(),
        "the first went back with the second"
    );
    world.stop.cancel();
    task.await.unwrap();
}
