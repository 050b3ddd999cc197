//! What happens by the clock, and what the check finds.

use chrono::Duration;
use parlour_chassis::Clock;
use parlour_media::check::{self, Findings};
use parlour_media::storage::ObjectKey;
use parlour_testkit::eventually_eq;
use serde_json::json;
use uuid::Uuid;

use crate::support::{Stage, TEXT, waiting};

#[tokio::test(flavor = "multi_thread")]
async fn deleted_files_go_after_thirty_days_and_their_bytes_when_nobody_has_them() {
    let (clock, hands) = Clock::manual(chrono::Utc::now());
    let stage = Stage::of(waiting().clock(clock)).await;
    let file = stage.ready(&stage.ana, "a.txt", TEXT).await;
    stage.ready(&stage.ben, "b.txt", TEXT).await;
    let other = stage.ready(&stage.ana, "c.txt", b"Only hers.").await;
    // Of what two have uploaded one copy goes.
    eventually_eq(2, async || stage.objects()).await;
    for file in [file, other] {
        stage
            .app
            .by(&stage.ana)
            .delete(&format!("/api/media/files/{file}"))
            .await
            .expect(200);
    }
    let purge = async || {
        stage.app.run_job("media", "purge_files").await;
        stage.app.run_job("media", "remove_unused_blobs").await;
    };
    hands.advance(Duration::days(30) - Duration::seconds(1));
    purge().await;
    assert_eq!(
        (
            stage.count("SELECT count(*) FROM media.files").await,
            stage.objects()
        ),
        (3, 2)
    );
    hands.advance(Duration::seconds(2));
    purge().await;
    assert_eq!(
        (
            stage.count("SELECT count(*) FROM media.files").await,
            stage.objects()
        ),
        (1, 1)
    );
    let used = format!(
        "SELECT used FROM media.quotas WHERE owner_id = '{}'",
        stage.ana.id
    );
    assert_eq!(stage.count(&used).await, 0);
    stage.agrees().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn orphans_are_swept_once_no_upload_can_want_them() {
    let (clock, hands) = Clock::manual(chrono::Utc::now());
    let stage = Stage::of(waiting().clock(clock)).await;
    stage.ready(&stage.ana, "a.txt", TEXT).await;
    let orphan = Uuid::now_v7();
    let mut writer = stage
        .media
        .objects
        .write(orphan, &ObjectKey::new().unwrap())
        .unwrap();
    writer.push(b"Nobody's.").await.unwrap();
    writer.finish().await.unwrap();
    // What the store writes to before an object has its name, as a process that dies leaves it.
    let begun = stage
        .app
        .outbox()
        .join(format!("media/objects/00/{}#1", Uuid::now_v7().simple()));
    std::fs::create_dir_all(begun.parent().unwrap()).unwrap();
    std::fs::write(&begun, b"Not all of").unwrap();
    stage.app.run_job("media", "sweep_objects").await;
    assert_eq!(stage.objects(), 3, "an upload may still be going on");
    let expected = Findings {
        orphans: vec![orphan],
        unfinished: vec![begun.canonicalize().unwrap()],
        ..Findings::default()
    };
    assert_eq!(stage.findings().await, expected);
    hands.advance(Duration::hours(2));
    stage.app.run_job("media", "sweep_objects").await;
    assert_eq!(stage.objects(), 1);
    stage.agrees().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_check_finds_and_repairs_what_does_not_agree() {
    let stage = Stage::waiting().await;
    let file = stage.ready(&stage.ana, "a.txt", TEXT).await;
    stage.ready(&stage.ana, "b.txt", TEXT).await;
    stage.ready(&stage.ben, "c.txt", b"Something else.").await;
    stage
        .sql(
            "UPDATE media.blobs SET refs = refs + 1; UPDATE media.quotas SET used = used + 7;
             DELETE FROM media.holdings WHERE size = 15",
        )
        .await;
    let findings = stage.findings().await;
    assert_eq!(
        (
            findings.references.len(),
            findings.holdings.len(),
            findings.quotas.len()
        ),
        (2, 1, 2)
    );
    check::repair(&stage.media, &findings, chrono::Utc::now())
        .await
        .unwrap();
    stage.agrees().await;
    let row = stage.app.database().admin().await;
    let row = row
        .query_one(
            &format!("SELECT blob_id FROM media.files WHERE id = '{file}'"),
            &[],
        )
        .await
        .unwrap();
    let blob: Uuid = row.get(0);
    stage.media.objects.delete(blob).await.unwrap();
    let findings = stage.findings().await;
    assert_eq!(
        findings,
        Findings {
            lost: vec![blob],
            ..Findings::default()
        }
    );
    check::repair(&stage.media, &findings, chrono::Utc::now())
        .await
        .unwrap();
    assert_eq!(stage.findings().await.lost, [blob], "it is not hidden");
    let download = stage
        .app
        .by(&stage.ana)
        .get(&format!("/api/media/files/{file}/download"))
        .await;
    download.expect_error(503, "UPSTREAM_UNAVAILABLE");
}

#[tokio::test(flavor = "multi_thread")]
async fn shares_that_are_over_are_removed() {
    let (clock, hands) = Clock::manual(chrono::Utc::now());
    let stage = Stage::of(waiting().clock(clock)).await;
    let file = stage.ready(&stage.ana, "a.txt", TEXT).await;
    let share = format!("/api/media/files/{file}/share");
    for seconds in [60, 7200] {
        let body = json!({ "link": true, "expires_in_seconds": seconds });
        stage.app.by(&stage.ana).post(&share).json(body).await.expect(201);
    }
    hands.advance(Duration::hours(1));
    stage.app.run_job("media", "end_shares").await;
    eventually_eq(1, async || stage.count("SELECT count(*) FROM media.shares").await).await;
}
