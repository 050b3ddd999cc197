//! `/api/media/upload…`

use parlour_contracts::media::v1::FileUploaded;
use serde_json::json;

use crate::support::{Form, Stage, TEXT, id};

#[tokio::test(flavor = "multi_thread")]
async fn a_file_is_stored_and_waits() {
    let stage = Stage::set().await;
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
