//! Resumable uploads, by the protocol's own words.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::Duration;
use parlour_chassis::Clock;
use parlour_testkit::{Answer, Person, Request, eventually_eq};
use reqwest::Method;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use uuid::Uuid;

use crate::support::{Stage, TEXT, long_text, waiting};

const OFFSET: &str = "application/offset+octet-stream";

impl Stage {
    fn tus(&self, by: &Person, method: &str, path: &str) -> Request {
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        self.app
            .by(by)
            .request(&method, path)
            .header("tus-resumable", "1.0.0")
    }

    /// Begins an upload; its path.
    async fn begin(&self, by: &Person, length: usize) -> String {
        let name = STANDARD.encode("notes.txt");
        let request = self.tus(by, "POST", "/api/media/tus/");
        let request = request.header("upload-length", &length.to_string());
        let answer = request
            .header("upload-metadata", &format!("filename {name}"))
            .await;
        answer.expect(201).header("location").unwrap().to_owned()
    }

    async fn append(&self, by: &Person, path: &str, offset: usize, bytes: &[u8]) -> Answer {
        let request = self
            .tus(by, "PATCH", path)
            .header("upload-offset", &offset.to_string());
        request.body(OFFSET, bytes.to_vec()).await
    }

    async fn offset(&self, by: &Person, path: &str) -> String {
        let answer = self.tus(by, "HEAD", path).await;
        answer.expect(200).header("upload-offset").unwrap().to_owned()
    }
}

fn id_of(path: &str) -> Uuid {
    path.rsplit('/').next().unwrap().parse().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_in_pieces_becomes_a_file() {
    let stage = Stage::waiting().await;
    let content = long_text(200_000);
    let path = stage.begin(&stage.ana, content.len()).await;
    assert_eq!(stage.offset(&stage.ana, &path).await, "0");
    let (first, rest) = content.split_at(70_001);
    let answer = stage.append(&stage.ana, &path, 0, first).await;
    assert_eq!(answer.expect(204).header("upload-offset"), Some("70001"));
    assert_eq!(answer.header("tus-resumable"), Some("1.0.0"));
    stage
        .append(&stage.ana, &path, 0, rest)
        .await
        .expect_error(409, "INVALID_STATE");
    stage
        .append(&stage.ben, &path, 70_001, rest)
        .await
        .expect_error(404, "RESOURCE_NOT_FOUND");
    stage.agrees().await;
    stage.append(&stage.ana, &path, 70_001, rest).await.expect(204);
    assert_eq!(stage.offset(&stage.ana, &path).await, "200000");
    let file = stage.look(&stage.ana, id_of(&path)).await.expect(200).data()["file"].clone();
    assert_eq!(
        (file["name"].as_str(), file["size"].as_i64()),
        (Some("notes.txt"), Some(200_000))
    );
    let download = format!("/api/media/files/{}/download", id_of(&path));
    let got = stage.app.by(&stage.ana).get(&download).await;
    assert_eq!(got.expect(200).bytes().as_ref(), content);
    eventually_eq(1, async || stage.objects()).await;
    stage.agrees().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_piece_with_a_wrong_checksum_is_not_kept() {
    let stage = Stage::waiting().await;
    let path = stage.begin(&stage.ana, TEXT.len()).await;
    let send = async |checksum: &str| {
        let request = stage.tus(&stage.ana, "PATCH", &path).header("upload-offset", "0");
        request
            .header("upload-checksum", checksum)
            .body(OFFSET, TEXT)
            .await
    };
    let digest = |bytes: &[u8]| {
        let algorithm = &aws_lc_rs::digest::SHA1_FOR_LEGACY_USE_ONLY;
        format!(
            "sha1 {}",
            STANDARD.encode(aws_lc_rs::digest::digest(algorithm, bytes))
        )
    };
    send("md5 AAAA").await.expect_error(400, "VALIDATION_ERROR");
    send(&digest(b"other"))
        .await
        .expect_error(460, "CHECKSUM_MISMATCH");
    assert_eq!(stage.offset(&stage.ana, &path).await, "0");
    eventually_eq(0, async || stage.objects()).await;
    send(&digest(TEXT)).await.expect(204);
    stage.look(&stage.ana, id_of(&path)).await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_arrived_before_a_cut_is_kept() {
    let stage = Stage::waiting().await;
    let content = long_text(300_000);
    let path = stage.begin(&stage.ana, content.len()).await;
    let address = stage.app.client().address();
    let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
    let head = format!(
        "PATCH {path} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\ntus-resumable: 1.0.0\r\nupload-offset: 0\r\n\
         content-type: {OFFSET}\r\ncontent-length: {}\r\nx-forwarded-for: {}\r\n\r\n",
        stage.ana.token,
        content.len(),
        stage.ana.address
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.write_all(&content[..100_000]).await.unwrap();
    stream.shutdown().await.unwrap();
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer).await;
    eventually_eq("100000".to_owned(), async || {
        stage.offset(&stage.ana, &path).await
    })
    .await;
    stage
        .append(&stage.ana, &path, 100_000, &content[100_000..])
        .await
        .expect(204);
    let file = stage.look(&stage.ana, id_of(&path)).await.expect(200).data()["file"].clone();
    assert_eq!(file["size"].as_i64(), Some(300_000));
    eventually_eq(1, async || stage.objects()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_protocol_forbids_is_refused() {
    let stage = Stage::of(
        waiting()
            .set("media.quota_bytes", 1000)
            .set("media.resumable_uploads", 2),
    )
    .await;
    let options = stage
        .app
        .client()
        .request(&Method::OPTIONS, "/api/media/tus/")
        .await;
    assert_eq!(
        options.expect(204).header("tus-extension"),
        Some("creation,expiration,checksum,termination")
    );
    assert_eq!(options.header("tus-max-size"), Some("52428800"));
    let create = |length: &str| {
        stage
            .tus(&stage.ana, "POST", "/api/media/tus/")
            .header("upload-length", length)
    };
    create("52428801").await.expect_error(413, "FILE_TOO_LARGE");
    create("1001").await.expect_error(413, "QUOTA_EXCEEDED");
    create("0").await.expect_error(400, "VALIDATION_ERROR");
    create("-5").await.expect_error(400, "VALIDATION_ERROR");
    create("5")
        .header("upload-metadata", "filename ***")
        .await
        .expect_error(400, "VALIDATION_ERROR");
    let old = stage
        .app
        .by(&stage.ana)
        .post("/api/media/tus/")
        .header("tus-resumable", "0.2.2");
    let old = old.header("upload-length", "5").await;
    old.expect_error(412, "TUS_VERSION_NOT_SUPPORTED");
    assert_eq!(old.header("tus-version"), Some("1.0.0"));
    let keyed = create("22")
        .idempotency_key("k")
        .await
        .expect(201)
        .header("location")
        .unwrap()
        .to_owned();
    let again = create("22").idempotency_key("k").await;
    assert_eq!(again.expect(201).header("location"), Some(keyed.as_str()));
    let path = stage.begin(&stage.ana, 22).await;
    // It is over as soon as one of them is: the key does not remember it.
    let third = async || create("5").idempotency_key("third").await;
    third().await.expect_error(429, "RATE_LIMIT_EXCEEDED");
    let request = stage.tus(&stage.ana, "PATCH", &path).header("upload-offset", "0");
    request
        .body("text/plain", TEXT)
        .await
        .expect_error(415, "UNSUPPORTED_MEDIA_TYPE");
    let long = [TEXT, b"x"].concat();
    stage
        .append(&stage.ana, &path, 0, &long)
        .await
        .expect_error(413, "FILE_TOO_LARGE");
    assert_eq!(stage.offset(&stage.ana, &path).await, "0");
    stage.tus(&stage.ana, "DELETE", &path).await.expect(204);
    third().await.expect(201);
    stage.tus(&stage.ana, "HEAD", &path).await.expect(404);
    stage
        .append(&stage.ana, &path, 0, TEXT)
        .await
        .expect_error(404, "RESOURCE_NOT_FOUND");
    eventually_eq(0, async || stage.objects()).await;
    stage.agrees().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_complete_upload_of_no_type_that_is_taken_leaves_nothing() {
    let stage = Stage::waiting().await;
    let path = stage.begin(&stage.ana, 4).await;
    stage.append(&stage.ana, &path, 0, &[0, 1]).await.expect(204);
    let answer = stage.append(&stage.ana, &path, 2, &[2, 3]).await;
    answer.expect_error(415, "UNSUPPORTED_FILE_TYPE");
    stage.tus(&stage.ana, "HEAD", &path).await.expect(404);
    stage.untouched().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn uploads_expire_and_those_that_only_lack_their_end_are_finished() {
    let (clock, hands) = Clock::manual(chrono::Utc::now());
    let stage = Stage::of(waiting().clock(clock)).await;
    let whole = stage.begin(&stage.ana, TEXT.len()).await;
    let partly = stage.begin(&stage.ana, TEXT.len() + 1).await;
    for path in [&whole, &partly] {
        let longer = format!(
            "UPDATE media.uploads SET length = 23 WHERE id = '{}'",
            id_of(path)
        );
        stage.sql(&longer).await;
        stage.append(&stage.ana, path, 0, TEXT).await.expect(204);
    }
    // As if the process had died between the last piece and the file.
    stage
        .sql(&format!(
            "UPDATE media.uploads SET length = 22 WHERE id = '{}'",
            id_of(&whole)
        ))
        .await;
    stage.app.run_job("media", "finish_uploads").await;
    stage.look(&stage.ana, id_of(&whole)).await.expect(200);
    stage.look(&stage.ana, id_of(&partly)).await.expect(404);
    hands.advance(Duration::hours(24));
    stage.app.run_job("media", "expire_uploads").await;
    assert_eq!(stage.count("SELECT count(*) FROM media.uploads").await, 0);
    eventually_eq(1, async || stage.objects()).await;
    stage.agrees().await;
}
