//! What notify has to send survives notify.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use parlour_testkit::{eventually, free_address};
use serde_json::json;

use crate::platform::Platform;

const PEOPLE: usize = 60;
const KILLS: usize = 4;
/// What notify thinks of its deliveries.
const STATES: &str = "SELECT format('%s: %s, %s attempts', count(*), status, attempts) \
    FROM notify.deliveries GROUP BY status, attempts";

/// Mails by address: how often each arrived, and under which ids.
fn mails(platform: &Platform) -> BTreeMap<String, (usize, BTreeSet<String>)> {
    let mut mails: BTreeMap<_, (usize, BTreeSet<String>)> = BTreeMap::new();
    for mail in platform.outbox("mail.jsonl") {
        let (count, ids) = mails.entry(mail["to"].as_str().unwrap().to_owned()).or_default();
        *count += 1;
        ids.insert(mail["headers"]["Message-ID"].as_str().unwrap().to_owned());
    }
    mails
}

#[tokio::test(flavor = "multi_thread")]
async fn every_requested_mail_arrives_though_notify_is_killed_again_and_again() {
    let platform = Platform::new().await;
    let address = free_address();
    let identity = platform.identity(address).await;
    let client = identity.client();
    // From its first start on its queue keeps what it is not there for.
    let mut notify = platform.notify(address).await;
    let registering = tokio::spawn(async move {
        for n in 0..PEOPLE {
            let body = json!({ "email": format!("p{n}@example.org"), "password": "correct horse battery" });
            client.post("/api/auth/register").json(body).await.expect(201);
        }
    });
    for kill in 1..=KILLS {
        // Killed while more mails are asked for and some are on their way.
        eventually(async || mails(&platform).len() >= kill * PEOPLE / (KILLS + 2)).await;
        notify.kill();
        notify = platform.notify(address).await;
    }
    registering.await.unwrap();
    // What the last one had claimed is its own for as long, dead or not.
    tokio::time::sleep(Duration::from_secs(10)).await;
    let all = eventually(async || {
        let mails = mails(&platform);
        if mails.len() == PEOPLE {
            return Ok(mails);
        }
        Err((mails.len(), platform.rows(STATES).await))
    })
    .await;
    let mut twice = 0;
    for (to, (count, ids)) in all {
        // Between a provider's word and ours a crash can send a mail again: under the same id,
        // by which a mailbox knows it.
        assert_eq!(ids.len(), 1, "{to} got {ids:?}");
        twice += count - 1;
    }
    assert!(
        twice <= KILLS * 16,
        "at most what was being sent at each kill: {twice}"
    );
    identity.terminate().await;
}
