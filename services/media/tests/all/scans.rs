//! From pending to ready or quarantine, and what is asked about it.

use parlour_contracts::media::v1::FileReady;
use parlour_testkit::{App, eventually};
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

/// What its owner is told that scanners said of it.
pub(crate) async fn results(stage: &Stage, file: Uuid) -> Value {
    let path = format!("/api/media/files/{file}/scan-results");
    stage.app.by(&stage.ana).get(&path).await.expect(200).data()
}

/// Ben may read it.
pub(crate) async fn share(stage: &Stage, file: Uuid) {
    let (ana, ben) = (stage.ana.id, stage.ben.id);
    stage
        .sql(&format!(
            "INSERT INTO media.shares (id, file_id, owner_id, account_ids, created_at)
             VALUES (gen_random_uuid(), '{file}', '{ana}', ARRAY['{ben}'::uuid], now())"
        ))
        .await;
}

/// Where uploads are not looked at, so that the scan has something to find.
pub(crate) async fn unscreened() -> Stage {
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
    share(&stage, file).await;
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
