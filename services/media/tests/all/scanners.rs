//! Files that are scanned again, and scanners that are away.

use parlour_contracts::media::v1::ScannerChanged;
use parlour_testkit::{App, ClamAv, eventually};
use serde_json::json;
use tokio::net::TcpListener;
use uuid::Uuid;

use crate::scans::{becomes, results, unscreened};
use crate::services;
use crate::support::{Stage, TEXT, id};

#[tokio::test(flavor = "multi_thread")]
async fn many_files_are_scanned_by_a_job() {
    let stage = unscreened().await;
    let mut files = Vec::new();
    for text in ["one", "two", "three"] {
        files.push(id(&stage.upload(&stage.ana, "notes.txt", text.as_bytes()).await));
    }
    for file in &files {
        becomes(&stage, *file, "ready").await;
    }
    let admin = stage.app.person("admin").await;
    stage
        .app
        .by(&stage.monitor)
        .post("/api/media/bulk-scan")
        .json(json!({}))
        .await
        .expect(403);
    let wrong = json!({ "kind": "cups", "status": "lost", "file_ids": [] });
    let refused = stage
        .app
        .by(&admin)
        .post("/api/media/bulk-scan")
        .json(&wrong)
        .await;
    refused.expect_error(400, "VALIDATION_ERROR");
    let body = json!({ "owner_id": stage.ana.id, "kind": "document" });
    let accepted = stage
        .app
        .by(&admin)
        .post("/api/media/bulk-scan")
        .json(&body)
        .await
        .expect(202)
        .data();
    assert_eq!(accepted["total"], 3);
    let path = accepted["status_url"].as_str().unwrap().to_owned();
    stage.app.by(&stage.monitor).get(&path).await.expect(403);
    let done = eventually(async || {
        let job = stage.app.by(&admin).get(&path).await.expect(200).data();
        if job["status"] == "done" {
            Ok(job)
        } else {
            Err(job)
        }
    })
    .await;
    assert_eq!(
        (done["done"].as_i64(), done["quarantined"].as_i64()),
        (Some(3), Some(0))
    );
    assert!(done["finished_at"].is_string());
    assert_eq!(stage.count("SELECT count(*) FROM media.scan_results").await, 6);
    let none = json!({ "file_ids": [Uuid::now_v7()] });
    let empty = stage
        .app
        .by(&admin)
        .post("/api/media/bulk-scan")
        .json(&none)
        .await
        .expect(202)
        .data();
    let path = empty["status_url"].as_str().unwrap().to_owned();
    assert_eq!(
        stage.app.by(&admin).get(&path).await.expect(200).data()["status"],
        "done"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn with_clamd_away_files_wait_and_go_on_when_it_is_back() {
    let mut clamd = ClamAv::new();
    let builder = App::of(&services())
        .set("media.scan.clamd", clamd.unix())
        .set("media.scan.retry_seconds", 1)
        .set("media.scan.poll_ms", 50);
    let stage = Stage::of(builder).await;
    let clean = id(&stage.upload(&stage.ana, "notes.txt", TEXT).await);
    let marked = id(&stage
        .upload(&stage.ana, "marked.txt", ClamAv::MARKER.as_bytes())
        .await);
    let large = vec![b'x'; ClamAv::MAX_FILE + 10];
    let large = id(&stage.upload(&stage.ana, "large.txt", &large).await);
    eventually(async || !stage.app.published::<ScannerChanged>("media").await.is_empty()).await;
    for file in [clean, marked, large] {
        let shown = stage.look(&stage.ana, file).await.expect(200).data();
        assert_eq!(shown["file"]["status"], "pending", "never let through");
    }
    let told: Vec<ScannerChanged> = stage.app.published("media").await;
    assert_eq!(
        told.iter().map(|one| one.reachable).collect::<Vec<_>>(),
        [false],
        "said once"
    );

    clamd.start().await;
    becomes(&stage, clean, "ready").await;
    becomes(&stage, marked, "quarantined").await;
    becomes(&stage, large, "quarantined").await;
    let told: Vec<ScannerChanged> = stage.app.published("media").await;
    assert_eq!(
        told.iter().map(|one| one.reachable).collect::<Vec<_>>(),
        [false, true]
    );
    let said = results(&stage, large).await;
    assert_eq!(
        (
            said["results"][0]["scanner"].as_str(),
            said["results"][0]["verdict"].as_str()
        ),
        (Some("clamd"), Some("too_large"))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_scan_that_takes_longer_than_its_lease_keeps_the_file() {
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let clamd = format!("tcp://{}", silent.local_addr().unwrap());
    let builder = App::of(&services())
        .replicas(2)
        .set("media.scan.clamd", clamd)
        .set("media.scan.clamd_seconds", 4)
        .set("media.scan.lease_seconds", 1)
        .set("media.scan.poll_ms", 50);
    let stage = Stage::of(builder).await;
    let file = id(&stage.upload(&stage.ana, "notes.txt", TEXT).await);
    let failed = "SELECT count(*) FROM media.scan_results WHERE verdict = 'failed'";
    eventually(async || (stage.count(failed).await > 0).then_some(())).await;
    let claimed = format!("SELECT attempts::bigint FROM media.files WHERE id = '{file}'");
    assert_eq!(stage.count(&claimed).await, 1, "nobody else took it");
    drop(silent);
}
