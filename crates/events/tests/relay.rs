//! From the outbox to the broker.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::pedantic,
    missing_docs,
    reason = "tests"
)]

mod support;

use std::collections::HashMap;
use std::time::Duration;

use parlour_events::admin::{self, Start};
use support::{World, publish};

/// Under load what went out is marked by the look for what comes next: it must not go out again with it, nor
/// be marked behind its successor.
#[tokio::test(flavor = "multi_thread")]
async fn each_event_goes_out_once_and_is_marked_before_the_next() {
    let world = World::new().await;
    let (db, _relay) = world.relay();
    let mut log = admin::tail(&world.broker(), Start::First).await.unwrap();
    let publishing = (0..8).map(|account| {
        let db = db.clone();
        async move {
            for n in 1..=25 {
                publish(&db, &format!("account:{account}"), &n.to_string()).await;
            }
        }
    });
    futures_util::future::join_all(publishing).await;
    world
        .eventually_count("identity.outbox WHERE published_at IS NOT NULL", 200)
        .await;
    publish(&db, "account:last", "last").await;
    let mut versions: HashMap<String, Vec<i64>> = HashMap::new();
    loop {
        let next = tokio::time::timeout(Duration::from_secs(10), log.next()).await;
        let shown = next.unwrap().unwrap().unwrap();
        if shown.aggregate == "account:last" {
            break;
        }
        versions.entry(shown.aggregate).or_default().push(shown.version);
    }
    assert_eq!(versions.len(), 8);
    for (aggregate, versions) in versions {
        assert_eq!(versions, (1..=25).collect::<Vec<i64>>(), "{aggregate}");
    }
    let behind = "identity.outbox a JOIN identity.outbox b USING (aggregate) \
                  WHERE a.version < b.version AND a.published_at >= b.published_at";
    assert_eq!(world.count(behind).await, 0);
}
