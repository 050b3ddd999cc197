//! `/api/media/upload…`

use parlour_contracts::media::v1::{AvatarChanged, FileUploaded};
use parlour_testkit::eventually_eq;
use serde_json::json;
use uuid::Uuid;

use crate::support::{Form, Stage, TEXT, id, pixel, silence, waiting};

#[tokio::test(flavor = "multi_thread")]
async fn a_file_is_stored_and_waits() {
    let stage = Stage::waiting().await;
    let form = Form::new()
        .field("description", "Mine ☕")
        .field("folder", "/cups/2026/")
        .field("unknown", "is ignored")
        .file("file", "../notes.txt", TEXT);
    let answer = stage.post(&stage.ana, "/api/media/upload", &form).await;
    let file = answer.expect(201).data()["file"].clone();
    assert_eq!(file["name"], "notes.txt");
    assert_eq!(file["mime_type"], "text/plain");
    assert_eq!(
        (file["kind"].as_str(), file["size"].as_i64()),
        (Some("document"), Some(22))
    );
    assert_eq!(
        (file["folder"].as_str(), file["description"].as_str()),
        (Some("cups/2026"), Some("Mine ☕"))
    );
    assert_eq!(file["owner_id"], json!(stage.ana.id));
    assert_eq!(file["checksum_sha256"].as_str().unwrap().len(), 64);
    assert_eq!(stage.objects(), 1);
    let told: Vec<FileUploaded> = stage.app.published("media").await;
    assert_eq!(told[0].file_id, id(&file).to_string());
    assert_eq!(stage.count("SELECT used FROM media.quotas").await, 22);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_key_and_form_is_one_upload_and_another_form_a_conflict() {
    let stage = Stage::waiting().await;
    let form = Form::new().file("file", "a.txt", TEXT);
    let send = |form: &Form| {
        stage
            .post(&stage.ana, "/api/media/upload", form)
            .idempotency_key("k")
    };
    let first = send(&form).await;
    let again = send(&form).await;
    assert_eq!(first.expect(201).data(), again.expect(201).data());
    assert_eq!(again.header("idempotency-replayed"), Some("true"));
    let other = Form::new().file("file", "a.txt", b"Another cup.");
    send(&other).await.expect_error(409, "IDEMPOTENCY_KEY_REUSED");
    assert_eq!(stage.count("SELECT count(*) FROM media.files").await, 1);
    eventually_eq(1, async || stage.objects()).await;
    stage.agrees().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_content_is_kept_once_and_nobody_can_tell() {
    let stage = Stage::waiting().await;
    let first = stage.upload(&stage.ana, "a.txt", TEXT).await;
    let second = stage.upload(&stage.ben, "b.txt", TEXT).await;
    stage.upload(&stage.ana, "c.txt", TEXT).await;
    assert_eq!(first["checksum_sha256"], second["checksum_sha256"]);
    eventually_eq(1, async || stage.objects()).await;
    assert_eq!(stage.count("SELECT refs FROM media.blobs").await, 3);
    let used = format!(
        "SELECT used FROM media.quotas WHERE owner_id = '{}'",
        stage.ana.id
    );
    assert_eq!(stage.count(&used).await, 22, "it counts once");
    let tag = async |by, file| {
        let path = format!("/api/media/files/{}/download", id(file));
        let answer = stage.app.by(by).get(&path).await;
        assert_eq!(answer.expect(200).bytes().as_ref(), TEXT);
        answer.header("etag").unwrap().to_owned()
    };
    assert_ne!(tag(&stage.ana, &first).await, tag(&stage.ben, &second).await);
    stage.agrees().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn several_files_are_answered_one_by_one() {
    let stage = Stage::of(waiting().set("media.quota_bytes", 60)).await;
    let form = Form::new()
        .field("folder", "all")
        .file("files", "a.txt", TEXT)
        .file("files", "b.png", b"not a picture\n")
        .file("files", "c.bin", &[0, 1, 2, 3])
        .file("files", "d.txt", b"Twenty-two bytes, too.")
        .file("files", "e.txt", b"This is more than what is left.");
    let answer = stage.post(&stage.ana, "/api/media/upload-multiple", &form).await;
    let files = answer.expect(207).data()["files"].clone();
    let told = |n: usize| {
        (
            files[n]["name"].as_str().unwrap(),
            files[n]["success"].as_bool().unwrap(),
            files[n]["code"].as_str(),
        )
    };
    assert_eq!(told(1), ("b.png", false, Some("UNSUPPORTED_FILE_TYPE")));
    assert_eq!(told(2), ("c.bin", false, Some("UNSUPPORTED_FILE_TYPE")));
    let over: Vec<_> = [0, 3, 4]
        .into_iter()
        .filter(|n| told(*n).2 == Some("QUOTA_EXCEEDED"))
        .collect();
    assert_eq!(over.len(), 1, "there is room for two of the three");
    let stored = [0, 3, 4].into_iter().find(|n| told(*n).1).unwrap();
    assert_eq!(files[stored]["file"]["folder"], "all");
    eventually_eq(2, async || stage.objects()).await;
    stage.agrees().await;
    let fine = Form::new()
        .file("files", "a.txt", TEXT)
        .file("files", "b.txt", TEXT);
    stage
        .post(&stage.ben, "/api/media/upload-multiple", &fine)
        .await
        .expect(201);
    let many = (0..11).fold(Form::new(), |form, _| form.file("files", "a.txt", TEXT));
    let answer = stage.post(&stage.ben, "/api/media/upload-multiple", &many).await;
    answer.expect_error(400, "VALIDATION_ERROR");
    // The first of hers is his too, unless there was no room for it.
    let all = 2 + usize::from(over == [0]);
    eventually_eq(all, async || stage.objects()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn avatars_are_pictures_and_voice_notes_recordings() {
    let stage = Stage::waiting().await;
    let text = Form::new().file("file", "a.txt", TEXT);
    for path in ["/api/media/upload-avatar", "/api/media/upload-voice-note"] {
        let answer = stage.post(&stage.ana, path, &text).await;
        answer.expect_error(415, "UNSUPPORTED_FILE_TYPE");
    }
    stage.untouched().await;
    let avatar = Form::new().file("avatar", "me.png", &pixel());
    let answer = stage.post(&stage.ana, "/api/media/upload-avatar", &avatar).await;
    let file = answer.expect(201).data()["file"].clone();
    assert_eq!(
        (file["width"].as_i64(), file["height"].as_i64()),
        (Some(1), Some(1))
    );
    let note = Form::new()
        .field("duration", "1.5")
        .file("voice_note", "note.wav", &silence(8000));
    let answer = stage
        .post(&stage.ana, "/api/media/upload-voice-note", &note)
        .await;
    assert_eq!(answer.expect(201).data()["file"]["duration"], 1.5);
    stage.settle(id(&file)).await;
    let told: Vec<AvatarChanged> = stage.app.published("media").await;
    assert_eq!(
        (told.len(), told[0].owner_id.as_str()),
        (1, stage.ana.id.to_string().as_str())
    );
    assert!(told[0].url.starts_with("http://127.0.0.1:5000/api/media/shared/"));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_for_a_conversation_is_for_those_who_take_part() {
    let stage = Stage::waiting().await;
    let session = Uuid::now_v7();
    let form = |session: Uuid, kind: &str| {
        let form = Form::new()
            .field("session_id", &session.to_string())
            .field("kind", kind);
        form.file("file", "cup.png", &pixel())
    };
    let send = async |by, form: Form| stage.post(by, "/api/media/upload-session-media", &form).await;
    send(&stage.ana, form(session, "cup"))
        .await
        .expect_error(400, "VALIDATION_ERROR");
    send(&stage.ana, form(session, "palm"))
        .await
        .expect_error(404, "SESSION_NOT_FOUND");
    let open = format!("INSERT INTO media.sessions VALUES ('{session}', 'active')");
    stage.sql(&open).await;
    send(&stage.ana, form(session, "palm"))
        .await
        .expect_error(403, "CHAT_ACCESS_DENIED");
    stage.untouched().await;
    for person in [&stage.ana, &stage.ben] {
        let sql = format!(
            "INSERT INTO media.session_members VALUES ('{session}', '{}')",
            person.id
        );
        stage.sql(&sql).await;
    }
    let answer = send(&stage.ana, form(session, "coffee_cup")).await;
    let file = answer.expect(201).data()["file"].clone();
    assert_eq!(file["session_id"], json!(session));
    let path = format!("/api/media/session/{session}/files");
    let listed = async |by| {
        let answer = stage.app.by(by).get(&path).await;
        answer.expect(200).data()["files"].as_array().unwrap().len()
    };
    assert_eq!(listed(&stage.ben).await, 0, "not before it was scanned");
    stage.settle(id(&file)).await;
    assert_eq!(
        (
            listed(&stage.ben).await,
            listed(&stage.ana).await,
            listed(&stage.monitor).await
        ),
        (1, 1, 1)
    );
    let stranger = stage.app.person("client").await;
    stage
        .app
        .by(&stranger)
        .get(&path)
        .await
        .expect_error(403, "CHAT_ACCESS_DENIED");
    stage.look(&stranger, id(&file)).await.expect(404);
    assert!(stage.look(&stage.ben, id(&file)).await.expect(200).data()["file"]["checksum_sha256"].is_null());
    stage.sql("UPDATE media.sessions SET status = 'ended'").await;
    send(&stage.ana, form(session, "palm"))
        .await
        .expect_error(409, "SESSION_INACTIVE");
    stage.agrees().await;
}
