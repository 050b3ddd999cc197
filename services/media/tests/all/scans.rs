//! From pending to ready or quarantine, and what is asked about it.

use parlour_contracts::media::v1::{FileInfected, FileReady, ScannerChanged};
use parlour_testkit::{App, ClamAv, eventually, eventually_eq};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::services;
use crate::support::{Form, Stage, TEXT, id, photo};

/// The test file of scanners, put together here so that no scanner finds this one.
pub(crate) fn eicar() -> Vec<u8> {
    [
        r"X5O!P%@AP[4\PZX54(P^)7CC)7}$EICAR",
        "-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*",
    ]
    .concat()
    .into_bytes()
}

/// Waits until the file has that status for its owner.
pub(crate) async fn becomes(stage: &Stage, file: Uuid, status: &str) -> Value {
    eventually(async || {
        let file = stage.look(&stage.ana, file).await.expect(200).data()["file"].clone();
        if file["status"] == status {
            Ok(file)
        } else {
            Err(file)
        }
    })
    .await
}

async fn results(stage: &Stage, file: Uuid) -> Value {
    let path = format!("/api/media/files/{file}/scan-results");
    stage.app.by(&stage.ana).get(&path).await.expect(200).data()
}

/// Where uploads are not looked at, so that the scan has something to find.
async fn unscreened() -> Stage {
    Stage::of(App::of(&services()).set("media.scan.upload_bytes", 0)).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clean_file_becomes_ready() {
    let stage = Stage::set().await;
    let file = id(&stage.upload(&stage.ana, "notes.txt", TEXT).await);
    becomes(&stage, file, "ready").await;
    let said = results(&stage, file).await;
    assert_eq!(
        (said["status"].as_str(), said["pending"].as_bool()),
        (Some("ready"), Some(false))
    );
    assert_eq!(said["results"][0]["scanner"], "rules");
    assert_eq!(said["results"][0]["verdict"], "clean");
    let told: Vec<FileReady> = stage.app.published("media").await;
    assert_eq!(told.len(), 1);

    // A stranger does not know of it, staff may look and scan again, and it stays what it is.
    let (results, scan) = (
        format!("/api/media/files/{file}/scan-results"),
        format!("/api/media/files/{file}/scan"),
    );
    stage
        .app
        .by(&stage.ben)
        .get(&results)
        .await
        .expect_error(404, "RESOURCE_NOT_FOUND");
    stage
        .app
        .by(&stage.ben)
        .post(&scan)
        .await
        .expect_error(404, "RESOURCE_NOT_FOUND");
    let asked = stage.app.by(&stage.monitor).post(&scan).await;
    assert_eq!(asked.expect(202).data()["status_url"], json!(results));
    eventually(async || {
        let said = stage
            .app
            .by(&stage.monitor)
            .get(&results)
            .await
            .expect(200)
            .data();
        said["results"].as_array().unwrap().len() == 2
            && said["pending"] == false
            && said["status"] == "ready"
    })
    .await;
    let told: Vec<FileReady> = stage.app.published("media").await;
    assert_eq!(told.len(), 1, "it is no news");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_picture_is_shown_upright_and_without_its_place() {
    let stage = Stage::set().await;
    let original = photo(6);
    let file = id(&stage.upload(&stage.ana, "cup.jpg", &original).await);
    let shown = becomes(&stage, file, "ready").await;
    assert_eq!(
        (shown["width"].as_i64(), shown["height"].as_i64()),
        (Some(300), Some(600))
    );
    let thumbnails = shown["thumbnails"].as_array().unwrap();
    let mut sizes: Vec<_> = thumbnails
        .iter()
        .map(|one| (one["size"].clone(), one["mime_type"].clone()))
        .collect();
    sizes.dedup();
    assert_eq!(sizes.len(), 6, "{sizes:?}");
    for one in thumbnails {
        let path = one["url"].as_str().unwrap().split_once("/api/").unwrap().1;
        let answer = stage.app.get(&format!("/api/{path}")).await;
        let image = answer.expect(200).bytes().clone();
        assert!(one["height"].as_i64().unwrap() <= 1024);
        assert!(!image.windows(4).any(|part| part == b"48.2"));
    }
    let path = format!("/api/media/files/{file}/thumbnails");
    let listed = stage.app.by(&stage.ana).get(&path).await;
    assert_eq!(
        listed.expect(200).data()["thumbnails"].as_array().unwrap().len(),
        6
    );
    stage
        .app
        .by(&stage.ben)
        .get(&path)
        .await
        .expect_error(404, "RESOURCE_NOT_FOUND");

    // Whoever it is shared with gets a picture without the place; its owner has the original.
    let share = json!({ "user_ids": [stage.ben.id] });
    stage
        .app
        .by(&stage.ana)
        .post(&format!("/api/media/files/{file}/share"))
        .json(&share)
        .await
        .expect(201);
    let download = format!("/api/media/files/{file}/download");
    let seen = stage
        .app
        .by(&stage.ben)
        .get(&download)
        .await
        .expect(200)
        .bytes()
        .clone();
    assert!(!seen.windows(4).any(|part| part == b"48.2" || part == b"Exif"));
    let image = image::load_from_memory(&seen).unwrap();
    assert_eq!((image.width(), image.height()), (300, 600));
    let own = stage
        .app
        .by(&stage.ana)
        .get(&download)
        .await
        .expect(200)
        .bytes()
        .clone();
    assert_eq!(own, original);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_voice_note_gets_its_length_and_its_waveform() {
    let stage = Stage::set().await;
    let sound = include_bytes!("../../../../crates/files/tests/fixtures/live.webm");
    let form = Form::new().file("voice_note", "note.webm", sound);
    let answer = stage
        .post(&stage.ana, "/api/media/upload-voice-note", &form)
        .await;
    let file = id(&answer.expect(201).data()["file"]);
    let shown = becomes(&stage, file, "ready").await;
    assert_eq!(shown["waveform"].as_array().unwrap().len(), 100);
    assert!(
        (1.9..2.1).contains(&shown["duration"].as_f64().unwrap()),
        "{shown}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_harmful_file_goes_into_quarantine_and_out_of_it_by_decision() {
    let stage = unscreened().await;
    let file = id(&stage.upload(&stage.ana, "notes.txt", &eicar()).await);
    becomes(&stage, file, "quarantined").await;
    let told: Vec<FileInfected> = stage.app.published("media").await;
    assert_eq!((told.len(), &told[0].owner_id), (1, &stage.ana.id.to_string()));
    assert_eq!(
        results(&stage, file).await["results"][0]["signatures"],
        json!(["eicar_test_file"])
    );
    let download = format!("/api/media/files/{file}/download");
    assert!(stage.app.by(&stage.ana).get(&download).await.status() >= 400);

    let (admin, owner) = (
        stage.app.person("admin").await,
        stage.app.person("super_admin").await,
    );
    stage
        .app
        .by(&stage.ana)
        .get("/api/media/quarantine")
        .await
        .expect_error(403, "INSUFFICIENT_PERMISSIONS");
    let listed = stage
        .app
        .by(&admin)
        .get("/api/media/quarantine")
        .await
        .expect(200)
        .data();
    assert_eq!(listed["files"][0]["id"], json!(file));
    assert_eq!(listed["files"][0]["signatures"], json!(["eicar_test_file"]));
    assert_eq!(listed["pagination"]["total"], 1);

    let release = format!("/api/media/quarantine/{file}/release");
    stage
        .app
        .by(&admin)
        .post(&release)
        .await
        .expect_error(403, "INSUFFICIENT_PERMISSIONS");
    stage.app.by(&owner).post(&release).await.expect(200);
    becomes(&stage, file, "ready").await;
    stage.app.by(&owner).post(&release).await.expect(409);
    assert_eq!(
        stage
            .app
            .by(&stage.ana)
            .get(&download)
            .await
            .expect(200)
            .bytes()
            .as_ref(),
        eicar()
    );
    assert_eq!(results(&stage, file).await["results"][0]["verdict"], "released");
    assert_eq!(
        stage
            .count("SELECT count(*) FROM media.outbox WHERE event_type = 'media.file.ready'")
            .await,
        1
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_destroyed_is_gone_and_costs_nothing() {
    let stage = unscreened().await;
    let file = id(&stage.upload(&stage.ana, "notes.txt", &eicar()).await);
    becomes(&stage, file, "quarantined").await;
    let admin = stage.app.person("admin").await;
    let path = format!("/api/media/quarantine/{file}");
    stage
        .app
        .by(&stage.ana)
        .delete(&path)
        .await
        .expect_error(403, "INSUFFICIENT_PERMISSIONS");
    stage.app.by(&admin).delete(&path).await.expect(200);
    stage
        .app
        .by(&admin)
        .delete(&path)
        .await
        .expect_error(404, "RESOURCE_NOT_FOUND");
    stage.look(&stage.ana, file).await.expect(404);
    assert_eq!(stage.count("SELECT used FROM media.quotas").await, 0);
    assert_eq!(stage.count("SELECT sum(refs)::bigint FROM media.blobs").await, 0);
    let clean = id(&stage.upload(&stage.ana, "notes.txt", TEXT).await);
    becomes(&stage, clean, "ready").await;
    stage
        .app
        .by(&admin)
        .delete(&format!("/api/media/quarantine/{clean}"))
        .await
        .expect(409);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_picture_that_hides_something_never_shows_it() {
    let stage = unscreened().await;
    let both = [photo(1).as_slice(), b"<html><script>alert(1)</script></html>"].concat();
    let file = id(&stage.upload(&stage.ana, "cup.jpg", &both).await);
    becomes(&stage, file, "quarantined").await;
    assert_eq!(
        results(&stage, file).await["results"][0]["signatures"],
        json!(["markup_in_media"])
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lease_that_ran_out_is_taken_over() {
    let stage = Stage::set().await;
    let file = id(&stage.upload(&stage.ana, "notes.txt", TEXT).await);
    becomes(&stage, file, "ready").await;
    // As whoever had claimed it left it when they died.
    stage
        .sql("UPDATE media.files SET status = 'pending', attempts = 1, due_at = now() - interval '1 minute'")
        .await;
    becomes(&stage, file, "ready").await;
}

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
        .json(&json!({}))
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
    eventually_eq(2, async || {
        stage
            .count("SELECT least(min(attempts), 2)::bigint FROM media.files")
            .await
    })
    .await;
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
