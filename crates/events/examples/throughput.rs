//! How fast events go from the outbox to a handler's commit.
//!
//! `cargo run --release -p parlour-events --example throughput [events] [aggregates] [publishers]`
//! against the engines that `PARLOUR_TEST_PG_URL`, `PARLOUR_TEST_AMQP_URL` and
//! `PARLOUR_TEST_RABBIT_API` name.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::pedantic,
    reason = "a measurement"
)]

#[path = "../tests/support/mod.rs"]
mod support;

use std::time::{Duration, Instant};

use support::{World, publish};

#[tokio::main]
async fn main() {
    let mut arguments = std::env::args().skip(1).filter_map(|a| a.parse::<usize>().ok());
    let events = arguments.next().unwrap_or(5_000);
    let aggregates = arguments.next().unwrap_or(500);
    let publishers = arguments.next().unwrap_or(16);
    let world = World::new().await;
    let (db, _relay) = world.relay();
    let _consumer = world.consumer(|_| Ok(())).await;

    // One at a time: the latency when nothing else is going on.
    let mut alone = Vec::new();
    for n in 0..100 {
        let started = Instant::now();
        publish(&db, "account:alone", &n.to_string()).await;
        while world.count("orders.applied").await <= n {
            tokio::time::sleep(Duration::from_micros(500)).await;
        }
        alone.push(started.elapsed());
    }
    alone.sort();
    println!(
        "alone, with the publishing commit: p50 {:?}, p95 {:?}, worst {:?}",
        alone[50], alone[95], alone[99]
    );

    let started = Instant::now();
    let tasks = (0..publishers).map(|p| {
        let db = db.clone();
        tokio::spawn(async move {
            for n in (p..events).step_by(publishers) {
                publish(&db, &format!("account:{}", n % aggregates), &n.to_string()).await;
            }
        })
    });
    futures_util::future::join_all(tasks).await;
    let published = started.elapsed();
    world
        .eventually_count("orders.applied", events as i64 + 100)
        .await;
    let applied = started.elapsed();
    let rate = |time: Duration| events as f64 / time.as_secs_f64();
    println!("{events} events of {aggregates} aggregates by {publishers} publishers");
    println!(
        "committed at {:.0}/s, took effect at {:.0}/s",
        rate(published),
        rate(applied)
    );
    let sql = "SELECT percentile_cont(ARRAY[0.5, 0.95, 0.99]) WITHIN GROUP (ORDER BY \
               extract(epoch FROM i.received_at - o.created_at)::float8) \
               FROM identity.outbox o JOIN orders.inbox i ON i.event_id = o.id";
    let row = world.sql.query_one(sql, &[]).await.unwrap();
    let percentiles: Vec<f64> = row.get(0);
    println!(
        "written to handled, under load: p50 {:.1} ms, p95 {:.1} ms, p99 {:.1} ms",
        percentiles[0] * 1e3,
        percentiles[1] * 1e3,
        percentiles[2] * 1e3
    );
}
