//! A bucket in the place of a folder: a server of S3 that checks signatures.

use hyper_util::rt::{TokioExecutor, TokioIo};
use parlour_testkit::eventually_eq;
use s3s::auth::SimpleAuth;
use s3s::service::S3ServiceBuilder;
use serde_json::json;

use crate::support::{Form, Stage, long_text, waiting};

/// Starts it with one bucket; its address.
async fn server(folder: &std::path::Path) -> String {
    std::fs::create_dir(folder.join("files")).unwrap();
    let mut builder = S3ServiceBuilder::new(s3s_fs::FileSystem::new(folder).unwrap());
    builder.set_auth(SimpleAuth::from_single("key-id", "the-secret"));
    let service = builder.build();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let service = service.clone();
            tokio::spawn(async move {
                let http = hyper_util::server::conn::auto::Builder::new(TokioExecutor::new());
                let _ = http.serve_connection(TokioIo::new(stream), service).await;
            });
        }
    });
    format!("http://{address}")
}

fn storage(endpoint: &str, secret: &str) -> serde_json::Value {
    json!({
        "url": "s3://files", "endpoint": endpoint, "region": "us-east-1",
        "access_key_id": "key-id", "secret_access_key": secret,
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn files_live_in_a_bucket() {
    let folder = tempfile::tempdir().unwrap();
    let endpoint = server(folder.path()).await;
    let builder = waiting().set("media.storage", storage(&endpoint, "the-secret"));
    let stage = Stage::of(builder).await;
    // More than two parts of an upload to a bucket.
    let content = long_text(11_000_000);
    let file = stage.ready(&stage.ana, "long.txt", &content).await;
    let small = stage.ready(&stage.ana, "short.txt", b"Short.").await;
    let path = format!("/api/media/files/{file}/download");
    let got = stage.app.by(&stage.ana).get(&path).await;
    assert!(got.expect(200).bytes().as_ref() == content);
    let range = stage
        .app
        .by(&stage.ana)
        .get(&path)
        .header("range", "bytes=5242870-5242889,10999990-")
        .await;
    let body = range.expect(206).text();
    let part = |from: usize, to: usize| String::from_utf8(content[from..to].to_vec()).unwrap();
    assert!(body.contains(&part(5_242_870, 5_242_890)) && body.contains(&part(10_999_990, 11_000_000)));
    stage.agrees().await;
    for file in [file, small] {
        let path = format!("/api/media/files/{file}");
        stage.app.by(&stage.ana).delete(&path).await.expect(200);
    }
    stage
        .sql("UPDATE media.files SET deleted_at = now() - interval '31 days'")
        .await;
    stage.app.run_job("media", "purge_files").await;
    stage.app.run_job("media", "remove_unused_blobs").await;
    eventually_eq(0, async || stage.count("SELECT count(*) FROM media.blobs").await).await;
    stage.agrees().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_refuses_us_is_not_available_and_nothing_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let endpoint = server(folder.path()).await;
    let builder = waiting().set("media.storage", storage(&endpoint, "another-secret"));
    let stage = Stage::of(builder).await;
    let form = Form::new().file("file", "a.txt", b"A cup.");
    let answer = stage.post(&stage.ana, "/api/media/upload", &form).await;
    answer.expect_error(503, "UPSTREAM_UNAVAILABLE");
    assert_eq!(stage.count("SELECT count(*) FROM media.files").await, 0);
}
