//! What becomes of harmful files.

use parlour_contracts::media::v1::{FileInfected, FileReady};
use serde_json::json;

use crate::scans::{becomes, eicar, results, unscreened};
use crate::support::{TEXT, id};

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
    let told: Vec<FileReady> = stage.app.published("media").await;
    assert_eq!(told.len(), 1);
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
