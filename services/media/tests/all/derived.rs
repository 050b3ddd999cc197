//! `resize`, `thumbnail` and `crop`.

use serde_json::{Value, json};
use uuid::Uuid;

use crate::scans::becomes;
use crate::support::{Stage, TEXT, id, photo};

async fn make(stage: &Stage, file: Uuid, what: &str, body: Value) -> Value {
    let path = format!("/api/media/files/{file}/{what}");
    let answer = stage.app.by(&stage.ana).post(&path).json(&body).await;
    answer.expect(201).data()["file"].clone()
}

async fn picture(stage: &Stage) -> Uuid {
    let file = id(&stage.upload(&stage.ana, "cup.jpg", &photo(6)).await);
    becomes(stage, file, "ready").await;
    file
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_request_twice_is_the_same_file() {
    let stage = Stage::set().await;
    let source = picture(&stage).await;
    let before = stage.count("SELECT used FROM media.quotas").await;
    let small = make(&stage, source, "resize", json!({ "width": 100, "height": 100 })).await;
    assert_eq!(
        (small["width"].as_i64(), small["height"].as_i64()),
        (Some(50), Some(100))
    );
    assert_eq!(
        (small["status"].as_str(), small["name"].as_str()),
        (Some("ready"), Some("cup-100x100-inside.jpg"))
    );
    let size = small["size"].as_i64().unwrap();
    assert_eq!(stage.count("SELECT used FROM media.quotas").await, before + size);
    let again = make(
        &stage,
        source,
        "resize",
        json!({ "width": 100, "height": 100, "fit": "inside" }),
    )
    .await;
    assert_eq!(again["id"], small["id"]);
    assert_eq!(stage.count("SELECT used FROM media.quotas").await, before + size);

    let path = format!("/api/media/files/{}/download", id(&small));
    let bytes = stage
        .app
        .by(&stage.ana)
        .get(&path)
        .await
        .expect(200)
        .bytes()
        .clone();
    let image = image::load_from_memory(&bytes).unwrap();
    assert_eq!((image.width(), image.height()), (50, 100));
    // Deleted, it is made anew, byte for byte the same.
    stage
        .app
        .by(&stage.ana)
        .delete(&format!("/api/media/files/{}", id(&small)))
        .await
        .expect(200);
    let anew = make(&stage, source, "resize", json!({ "width": 100, "height": 100 })).await;
    assert_ne!(anew["id"], small["id"]);
    assert_eq!(anew["checksum_sha256"], small["checksum_sha256"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn sizes_parts_and_formats_are_as_asked_for() {
    let stage = Stage::set().await;
    let source = picture(&stage).await;
    let cover = make(
        &stage,
        source,
        "resize",
        json!({ "width": 80, "height": 40, "fit": "cover", "format": "webp" }),
    )
    .await;
    assert_eq!(
        (cover["width"].as_i64(), cover["height"].as_i64()),
        (Some(80), Some(40))
    );
    assert_eq!(cover["mime_type"], "image/webp");
    let thumbnail = make(&stage, source, "thumbnail", json!({ "size": 64 })).await;
    assert_eq!(
        (thumbnail["width"].as_i64(), thumbnail["height"].as_i64()),
        (Some(32), Some(64))
    );
    let part = make(
        &stage,
        source,
        "crop",
        json!({ "x": 10, "y": 20, "width": 30, "height": 40 }),
    )
    .await;
    assert_eq!(
        (part["width"].as_i64(), part["height"].as_i64()),
        (Some(30), Some(40))
    );
    // Whoever it is shared with sees it too.
    let share = json!({ "user_ids": [stage.ben.id] });
    let path = format!("/api/media/files/{}", id(&part));
    stage
        .app
        .by(&stage.ana)
        .post(&format!("{path}/share"))
        .json(&share)
        .await
        .expect(201);
    stage
        .app
        .by(&stage.ben)
        .get(&format!("{path}/download"))
        .await
        .expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_possible_is_refused() {
    let stage = Stage::set().await;
    let source = picture(&stage).await;
    let post = async |by, file: Uuid, what: &str, body: Value| {
        let path = format!("/api/media/files/{file}/{what}");
        stage.app.by(by).post(&path).json(&body).await
    };
    let outside = json!({ "x": 290, "y": 0, "width": 20, "height": 20 });
    post(&stage.ana, source, "crop", outside)
        .await
        .expect_error(400, "VALIDATION_ERROR");
    let empty = json!({ "width": 0, "height": 10_000, "fit": "tight", "format": "bmp" });
    let refused = post(&stage.ana, source, "resize", empty).await;
    assert_eq!(refused.expect(400).json()["details"].as_array().unwrap().len(), 4);
    post(&stage.ana, source, "thumbnail", json!({ "size": 1 }))
        .await
        .expect(400);
    post(&stage.ben, source, "thumbnail", json!({ "size": 64 }))
        .await
        .expect_error(404, "RESOURCE_NOT_FOUND");
    let text = id(&stage.upload(&stage.ana, "notes.txt", TEXT).await);
    becomes(&stage, text, "ready").await;
    post(&stage.ana, text, "thumbnail", json!({ "size": 64 }))
        .await
        .expect(409);
    stage.sql("UPDATE media.files SET status = 'pending'").await;
    post(&stage.ana, source, "thumbnail", json!({ "size": 64 }))
        .await
        .expect(409);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_request_many_times_at_once_is_one_file() {
    let stage = Stage::set().await;
    let source = picture(&stage).await;
    let one = || make(&stage, source, "thumbnail", json!({ "size": 64 }));
    let made = tokio::join!(one(), one(), one(), one());
    let ids = [&made.0["id"], &made.1["id"], &made.2["id"], &made.3["id"]];
    assert!(ids.iter().all(|id| *id == ids[0]), "{ids:?}");
    assert_eq!(
        stage
            .count("SELECT count(*) FROM media.files WHERE source_id IS NOT NULL")
            .await,
        1
    );
}
