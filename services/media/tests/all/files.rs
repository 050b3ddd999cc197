//! `/api/media/files…`

use parlour_contracts::media::v1::{FileDeleted, FileReady, FileRestored};
use serde_json::{Value, json};

use crate::support::{Stage, TEXT, id};

#[tokio::test(flavor = "multi_thread")]
async fn own_files_are_listed_by_page_cursor_and_filter() {
    let stage = Stage::waiting().await;
    for n in 0..5 {
        let name = format!("cup_{n}.txt");
        stage
            .upload(&stage.ana, &name, format!("Cup {n}").as_bytes())
            .await;
    }
    stage.upload(&stage.ben, "other.txt", TEXT).await;
    let list = async |query: &str| {
        let answer = stage
            .app
            .by(&stage.ana)
            .get(&format!("/api/media/files?{query}"))
            .await;
        answer.expect(200).data()
    };
    let names = |page: &Value| -> Vec<String> {
        let files = page["files"].as_array().unwrap();
        files
            .iter()
            .map(|file| file["name"].as_str().unwrap().to_owned())
            .collect()
    };
    let first = list("limit=2").await;
    assert_eq!(names(&first), ["cup_4.txt", "cup_3.txt"]);
    assert_eq!(
        (
            first["pagination"]["total"].as_i64(),
            first["pagination"]["total_pages"].as_i64()
        ),
        (Some(5), Some(3))
    );
    let cursor = first["pagination"]["next_cursor"].as_str().unwrap();
    assert_eq!(
        names(&list(&format!("limit=2&cursor={cursor}")).await),
        ["cup_2.txt", "cup_1.txt"]
    );
    assert_eq!(names(&list("limit=2&page=3").await), ["cup_0.txt"]);
    assert_eq!(names(&list("q=CUP_3").await), ["cup_3.txt"]);
    assert_eq!(
        names(&list("q=cup%253").await),
        Vec::<String>::new(),
        "no pattern of the caller's"
    );
    assert_eq!(names(&list("kind=image").await), Vec::<String>::new());
    assert_eq!(
        names(&list("status=pending&kind=document&folder=").await).len(),
        5
    );
    let answer = stage
        .app
        .by(&stage.ana)
        .get("/api/media/files?kind=x&limit=101")
        .await;
    answer.expect_error(400, "VALIDATION_ERROR");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_is_changed_and_moved_by_its_owner_alone() {
    let stage = Stage::waiting().await;
    let file = stage.ready(&stage.ana, "a.txt", TEXT).await;
    let path = format!("/api/media/files/{file}");
    let body = json!({ "name": "../b.txt", "description": "سر", "folder": "x/y" });
    let answer = stage.app.by(&stage.ana).put(&path).json(&body).await;
    let changed = answer.expect(200).data()["file"].clone();
    assert_eq!(
        (changed["name"].as_str(), changed["description"].as_str()),
        (Some("b.txt"), Some("سر"))
    );
    let answer = stage
        .app
        .by(&stage.ana)
        .put(&path)
        .json(json!({ "description": "" }))
        .await;
    let changed = answer.expect(200).data()["file"].clone();
    assert_eq!(
        (changed["folder"].as_str(), changed["description"].as_str()),
        (Some("x/y"), None)
    );
    let moved = stage
        .app
        .by(&stage.ana)
        .post(&format!("{path}/move"))
        .json(json!({ "folder": "z" }))
        .await;
    assert_eq!(moved.expect(200).data()["file"]["folder"], "z");
    let wrong = stage
        .app
        .by(&stage.ana)
        .post(&format!("{path}/move"))
        .json(json!({ "folder": "../z" }))
        .await;
    wrong.expect_error(400, "VALIDATION_ERROR");
    stage
        .app
        .by(&stage.ben)
        .put(&path)
        .json(&body)
        .await
        .expect_error(404, "RESOURCE_NOT_FOUND");
    let admin = stage.app.person("owner").await;
    stage.app.by(&admin).put(&path).json(&body).await.expect(404);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_is_a_file_of_its_own_that_costs_nothing() {
    let stage = Stage::waiting().await;
    let file = stage.ready(&stage.ana, "a.txt", TEXT).await;
    let describe = json!({ "description": "Mine", "folder": "f" });
    let path = format!("/api/media/files/{file}");
    stage
        .app
        .by(&stage.ana)
        .put(&path)
        .json(describe)
        .await
        .expect(200);
    let copied = stage
        .app
        .by(&stage.ana)
        .post(&format!("{path}/copy"))
        .json(json!({ "name": "c.txt" }))
        .await;
    let copy = copied.expect(201).data()["file"].clone();
    assert_eq!(
        (
            copy["name"].as_str(),
            copy["folder"].as_str(),
            copy["description"].as_str()
        ),
        (Some("c.txt"), Some("f"), Some("Mine"))
    );
    assert_eq!(copy["status"], "ready");
    assert_eq!(
        (
            stage.objects(),
            stage.count("SELECT used FROM media.quotas").await
        ),
        (1, 22)
    );
    stage
        .app
        .by(&stage.ana)
        .post(&format!("{path}/copy"))
        .await
        .expect(201);
    stage.app.by(&stage.ana).delete(&path).await.expect(200);
    let content = stage
        .app
        .by(&stage.ana)
        .get(&format!("/api/media/files/{}/download", id(&copy)))
        .await;
    assert_eq!(content.expect(200).bytes().as_ref(), TEXT);
    let told: Vec<FileReady> = stage.app.published("media").await;
    assert_eq!(told.len(), 3);
    stage.agrees().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_deleted_can_be_brought_back() {
    let stage = Stage::waiting().await;
    let file = stage.ready(&stage.ana, "a.txt", TEXT).await;
    let path = format!("/api/media/files/{file}");
    let by = stage.app.by(&stage.ana);
    by.post(&format!("{path}/restore"))
        .await
        .expect_error(409, "INVALID_STATE");
    let deleted = by.delete(&path).await.expect(200).data()["file"].clone();
    assert_eq!(
        (deleted["status"].as_str(), deleted["url"].as_str()),
        (Some("deleted"), None)
    );
    by.delete(&path).await.expect_error(409, "INVALID_STATE");
    by.get(&format!("{path}/download"))
        .await
        .expect_error(404, "RESOURCE_NOT_FOUND");
    by.put(&path)
        .json(json!({ "name": "x" }))
        .await
        .expect_error(409, "INVALID_STATE");
    let listed = |query| {
        let request = by.get(&format!("/api/media/files?{query}"));
        async move {
            request.await.expect(200).data()["files"]
                .as_array()
                .unwrap()
                .len()
        }
    };
    assert_eq!(
        (
            listed("").await,
            listed("deleted=true").await,
            listed("status=deleted").await
        ),
        (0, 1, 1)
    );
    let back = by.post(&format!("{path}/restore")).await;
    assert_eq!(back.expect(200).data()["file"]["status"], "ready");
    by.get(&format!("{path}/download")).await.expect(200);
    let told: (Vec<FileDeleted>, Vec<FileRestored>) = (
        stage.app.published("media").await,
        stage.app.published("media").await,
    );
    assert_eq!((told.0.len(), told.1.len()), (1, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_else_sees_a_file_that_waits_is_in_quarantine_or_deleted() {
    let stage = Stage::waiting().await;
    stage.known(&stage.ben).await;
    let file = id(&stage.upload(&stage.ana, "a.txt", TEXT).await);
    let share = format!("/api/media/files/{file}/share");
    let body = json!({ "user_ids": [stage.ben.id] });
    stage.app.by(&stage.ana).post(&share).json(body).await.expect(201);
    let download = format!("/api/media/files/{file}/download");
    let url = stage.look(&stage.ana, file).await.expect(200).data()["file"]["url"]
        .as_str()
        .unwrap()
        .to_owned();
    let link = url.strip_prefix("http://127.0.0.1:5000").unwrap();
    let hidden = async |why: &str| {
        stage.look(&stage.ben, file).await.expect(404);
        stage.app.by(&stage.ben).get(&download).await.expect(404);
        assert_eq!(stage.app.get(link).await.status(), 404, "{why}");
    };
    hidden("it waits").await;
    stage.app.by(&stage.ana).get(&download).await.expect(200);
    stage.settle(file).await;
    stage.look(&stage.ben, file).await.expect(200);
    assert_eq!(stage.app.get(link).await.expect(200).bytes().as_ref(), TEXT);
    stage.sql("UPDATE media.files SET status = 'quarantined'").await;
    hidden("it is in quarantine").await;
    stage
        .app
        .by(&stage.ana)
        .get(&download)
        .await
        .expect_error(409, "INVALID_STATE");
    stage
        .sql("UPDATE media.files SET status = 'ready', deleted_at = now()")
        .await;
    hidden("it is deleted").await;
}
