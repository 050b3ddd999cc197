//! What dies under load is not noticed in the effects.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::pedantic,
    missing_docs,
    reason = "tests"
)]

mod support;

use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use parlour_db::Db;
use support::{World, eventually, publish, try_publish};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// Publishes about twenty aggregates from four tasks until it is stopped.
struct Load {
    stop: CancellationToken,
    published: Arc<AtomicUsize>,
    tasks: Vec<JoinHandle<()>>,
}

impl Load {
    fn start(dbs: &[Db]) -> Self {
        let (stop, published) = (CancellationToken::new(), Arc::new(AtomicUsize::new(0)));
        let tasks = (0..4).map(|task| {
            let (db, stop, published) = (dbs[task % dbs.len()].clone(), stop.clone(), published.clone());
            tokio::spawn(async move {
                let mut n = task;
                while !stop.is_cancelled() {
                    n += 3;
                    // Not as fast as it can: the effects have to keep up.
                    tokio::time::sleep(Duration::from_millis(4)).await;
                    // Whether a commit that was cut off happened, the outbox knows.
                    if try_publish(&db, &format!("account:{}", n % 20), &n.to_string())
                        .await
                        .is_ok()
                    {
                        published.fetch_add(1, Ordering::SeqCst);
                    }
                }
            })
        });
        let tasks = tasks.collect();
        Self {
            stop,
            published,
            tasks,
        }
    }

    /// Waits until this many more have been published.
    async fn goes_on(&self, more: usize) {
        let until = self.published.load(Ordering::SeqCst) + more;
        eventually("publishing goes on", async || {
            (self.published.load(Ordering::SeqCst) >= until).then_some(())
        })
        .await;
    }

    async fn stop(self) {
        self.stop.cancel();
        for task in self.tasks {
            task.await.unwrap();
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn broker_connections_are_cut_under_load() {
    let world = World::new().await;
    let (db, _relay) = world.relay();
    let _consumer = world.consumer(|_| Ok(())).await;
    let load = Load::start(&[db]);
    let mut cuts = 0;
    while cuts < 6 {
        load.goes_on(60).await;
        cuts += world.rabbit.cut().await;
    }
    load.stop().await;
    world.eventually_settled().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_broker_is_away_for_a_while_and_nothing_else_stops() {
    let world = World::new().await;
    let (db, _relay) = world.relay();
    let _consumer = world.consumer(|_| Ok(())).await;
    let load = Load::start(std::slice::from_ref(&db));
    for _ in 0..2 {
        load.goes_on(50).await;
        world.rabbit.shut(true).await;
        eventually("events pile up", async || {
            world.rabbit.cut().await;
            (world.count("identity.outbox WHERE published_at IS NULL").await > 100).then_some(())
        })
        .await;
        load.goes_on(100).await;
        world.rabbit.shut(false).await;
    }
    load.stop().await;
    world.eventually_settled().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn database_backends_are_terminated_under_load() {
    let world = World::new().await;
    let relays = [world.relay(), world.relay()];
    let _consumers = [world.consumer(|_| Ok(())).await, world.consumer(|_| Ok(())).await];
    let load = Load::start(&[relays[0].0.clone(), relays[1].0.clone()]);
    for _ in 0..8 {
        load.goes_on(60).await;
        assert!(world.terminate_backends().await > 0);
    }
    load.stop().await;
    world.eventually_settled().await;
}

/// The relay dies when the broker has the event and the outbox does not know it yet.
#[tokio::test(flavor = "multi_thread")]
async fn a_relay_dies_between_publishing_and_marking() {
    let world = World::new().await;
    let _consumer = world.consumer(|_| Ok(())).await;
    let db = world.db(support::PUBLISHER);
    for n in 0..10 {
        publish(&db, &format!("account:{}", n % 2), &n.to_string()).await;
    }
    world
        .sql
        .batch_execute("BEGIN; SELECT FROM identity.outbox FOR UPDATE")
        .await
        .unwrap();
    let (_, relay) = world.relay();
    eventually("the first ones arrive", async || {
        (world.words("account:0").await.len() == 1).then_some(())
    })
    .await;
    relay.task.abort();
    drop(relay.task.await);
    world.sql.batch_execute("COMMIT").await.unwrap();
    eventually("its session is over", async || {
        (world.count("pg_stat_activity WHERE application_name = 'parlour-identity' AND query LIKE 'UPDATE%' AND state = 'active'").await == 0).then_some(())
    })
    .await;
    let _second = world.relay();
    world.eventually_settled().await;
    world.assert_order(2, 5).await;
}

async fn holders(world: &World) -> Vec<i64> {
    let sql = "SELECT count(*) FROM pg_locks l JOIN pg_stat_activity a USING (pid) \
               WHERE l.locktype = 'advisory' AND l.mode = 'ExclusiveLock' AND l.granted AND l.objsubid = 2 \
               AND a.datname = current_database() AND a.application_name = 'parlour-identity' \
               GROUP BY pid ORDER BY 1";
    world
        .sql
        .query(sql, &[])
        .await
        .unwrap()
        .iter()
        .map(|r| r.get(0))
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn lanes_are_shared_and_taken_over() {
    let world = World::new().await;
    let (db, first) = world.relay();
    eventually("one has all", async || {
        (holders(&world).await == [16]).then_some(())
    })
    .await;
    let (_, _second) = world.relay();
    eventually("two share", async || {
        (holders(&world).await == [8, 8]).then_some(())
    })
    .await;
    let _consumer = world.consumer(|_| Ok(())).await;
    for n in 0..60 {
        publish(&db, &format!("account:{n}"), "shared").await;
    }
    world.eventually_count("orders.applied", 60).await;
    first.task.abort();
    eventually("the other has all", async || {
        (holders(&world).await == [16]).then_some(())
    })
    .await;
    // Published by a process whose own relay is gone.
    for n in 0..60 {
        publish(&db, &format!("account:{n}"), "taken over").await;
    }
    world.eventually_count("orders.applied", 120).await;
    world.eventually_settled().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_returned_event_is_not_taken_for_published() {
    let world = World::new().await;
    let (db, _relay) = world.relay();
    publish(&db, "account:1", "kept").await;
    world
        .eventually_count("identity.outbox WHERE published_at IS NOT NULL", 1)
        .await;
    world.rabbit.unbind("parlour.events", "parlour.log", "#").await;
    for word in ["returned at first", "behind it", "last"] {
        publish(&db, "account:1", word).await;
    }
    let mut tail = parlour_events::admin::tail(&world.broker(), parlour_events::admin::Start::First)
        .await
        .unwrap();
    let mut words = Vec::new();
    while words.len() < 4 {
        let shown = tokio::time::timeout(Duration::from_secs(30), tail.next())
            .await
            .expect("the log has it")
            .unwrap()
            .unwrap();
        words.push(shown.data["username"].as_str().unwrap().to_owned());
    }
    assert_eq!(words, ["kept", "returned at first", "behind it", "last"]);
    world
        .eventually_count("identity.outbox WHERE published_at IS NOT NULL", 4)
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_graceful_stop_flushes_and_hands_over() {
    let world = World::new().await;
    let (db, relay) = world.relay();
    let consumer = world.consumer(|_| Ok(())).await;
    for n in 0..200 {
        publish(&db, &format!("account:{}", n % 10), &n.to_string()).await;
    }
    relay.stop().await;
    assert_eq!(world.count("identity.outbox WHERE published_at IS NULL").await, 0);
    let _next = world.consumer(|_| Ok(())).await;
    consumer.stop().await;
    world.eventually_settled().await;
    world.assert_order(10, 20).await;
}

/// A process of relay and consumer, for the test below to kill.
#[tokio::test(flavor = "multi_thread")]
async fn child_process() {
    let Ok(name) = std::env::var("PARLOUR_TEST_CHILD_OF") else {
        return;
    };
    let world = World::of(&name).await;
    let (db, _relay) = world.relay();
    let _consumer = world.consumer(|_| Ok(())).await;
    let _load = Load::start(&[db]);
    std::future::pending::<()>().await;
}

fn child(world: &World) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "child_process", "--nocapture"])
        .env("PARLOUR_TEST_CHILD_OF", &world.name)
        .stdout(Stdio::null())
        .spawn()
        .unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn processes_are_killed_under_load() {
    let world = World::new().await;
    for round in 1..=5 {
        let mut children = [child(&world), child(&world)];
        let until = round * 150;
        eventually("effects", async || {
            (world.count("orders.applied").await >= until).then_some(())
        })
        .await;
        for child in &mut children {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }
    let _relay = world.relay();
    let _consumer = world.consumer(|_| Ok(())).await;
    world.eventually_settled().await;
}
