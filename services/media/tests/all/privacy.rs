//! What one person cannot learn of another's files: not what they say, and not that they are there.

use std::collections::BTreeMap;

use chrono::DateTime;
use parlour_testkit::{Answer, Person, Request};
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::scans::becomes;
use crate::support::{Form, Stage, TEXT, id, photo};

/// Differ from one answer to the next, whatever was asked.
const PASSING: [&str; 5] = [
    "date",
    "x-request-id",
    "ratelimit",
    "traceparent",
    "upload-expires",
];

/// All that an answer tells, with ids, times, links and checksums as what they are.
#[derive(Debug, PartialEq)]
struct Told {
    status: u16,
    headers: BTreeMap<String, String>,
    body: Value,
}

fn told(answer: &Answer) -> Told {
    let headers = answer
        .headers()
        .iter()
        .filter(|(name, _)| !PASSING.contains(&name.as_str()));
    let headers = headers.map(|(name, value)| {
        let value = value.to_str().unwrap().to_owned();
        let place = value.starts_with("/api/media/tus/");
        (name.to_string(), if place { "a place".to_owned() } else { value })
    });
    let text = Value::String(answer.text());
    Told {
        status: answer.status(),
        headers: headers.collect(),
        body: shape(&serde_json::from_slice(answer.bytes()).unwrap_or(text)),
    }
}

fn shape(value: &Value) -> Value {
    match value {
        Value::Object(fields) => fields
            .iter()
            .map(|(name, value)| (name.clone(), shape(value)))
            .collect(),
        Value::Array(items) => items.iter().map(shape).collect(),
        Value::String(text) if Uuid::try_parse(text).is_ok() => json!("an id"),
        Value::String(text) if DateTime::parse_from_rfc3339(text).is_ok() => json!("a time"),
        Value::String(text) if text.starts_with("http://") => json!("a link"),
        Value::String(text) if text.len() == 64 && text.bytes().all(|b| b.is_ascii_hexdigit()) => {
            json!("a checksum")
        }
        other => other.clone(),
    }
}

/// Everything that can be asked about a file or an upload by its id.
fn questions(stage: &Stage, by: &Person, id: Uuid) -> Vec<Request> {
    let app = stage.app.by(by);
    let file = |rest: &str| format!("/api/media/files/{id}{rest}");
    let upload = format!("/api/media/tus/{id}");
    let tus = |method| app.request(&method, &upload).header("tus-resumable", "1.0.0");
    let mut all = vec![
        app.get(&file("")),
        app.put(&file("")).json(json!({ "name": "mine.txt" })),
        app.delete(&file("")),
        app.post(&file("/move")).json(json!({ "folder": "mine" })),
        app.post(&file("/copy")).json(json!({})),
        app.post(&file("/restore")),
        app.post(&file("/share")).json(json!({ "link": true })),
        app.delete(&file(&format!("/share/{id}"))),
        app.post(&file("/scan")),
        app.get(&file("/scan-results")),
        app.get(&file("/thumbnails")),
        app.post(&file("/thumbnail")).json(json!({ "size": 64 })),
        app.post(&file("/resize"))
            .json(json!({ "width": 10, "height": 10 })),
        app.post(&file("/crop"))
            .json(json!({ "x": 0, "y": 0, "width": 5, "height": 5 })),
        tus(Method::HEAD),
        tus(Method::DELETE),
        tus(Method::PATCH)
            .header("upload-offset", "0")
            .body("application/offset+octet-stream", "mine"),
    ];
    for rest in ["/download", "/stream"] {
        for method in [Method::GET, Method::HEAD] {
            all.push(app.request(&method, &file(rest)));
        }
        all.push(app.get(&file(rest)).header("range", "bytes=0-3"));
        all.push(app.get(&file(rest)).header("if-none-match", "*"));
        all.push(app.get(&file(rest)).header("if-match", "\"guessed\""));
    }
    all
}

#[tokio::test(flavor = "multi_thread")]
async fn anothers_file_is_like_one_that_is_not_there() {
    let stage = Stage::waiting().await;
    let text = stage.ready(&stage.ana, "a.txt", TEXT).await;
    let picture = stage.ready(&stage.ana, "a.jpg", &photo(1)).await;
    let begun = stage.app.by(&stage.ana).post("/api/media/tus/");
    let begun = begun
        .header("tus-resumable", "1.0.0")
        .header("upload-length", "100")
        .await;
    let place = begun.expect(201).header("location").unwrap().to_owned();
    let upload: Uuid = place.rsplit('/').next().unwrap().parse().unwrap();
    let states = [
        "status = 'ready'",
        "status = 'pending'",
        "status = 'quarantined'",
        "status = 'ready', deleted_at = now()",
    ];
    for state in states {
        stage.sql(&format!("UPDATE media.files SET {state}")).await;
        for known in [text, picture, upload] {
            let unknown = questions(&stage, &stage.ben, Uuid::now_v7());
            for (known, unknown) in questions(&stage, &stage.ben, known).into_iter().zip(unknown) {
                let (known, unknown) = (known.await, unknown.await);
                assert_eq!(known.status(), 404, "{state}: {known}");
                assert_eq!(told(&known), told(&unknown), "{state}: {known}");
            }
        }
    }
    let listed = stage
        .app
        .by(&stage.ben)
        .get("/api/media/files")
        .await
        .expect(200)
        .data();
    assert_eq!(listed["files"], json!([]));
    assert_eq!(
        stage.count("SELECT count(*) FROM media.files").await,
        2,
        "nothing was made of them"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_that_was_changed_is_like_any_other_that_is_none() {
    let stage = Stage::waiting().await;
    let file = stage.ready(&stage.ana, "a.txt", TEXT).await;
    let url = stage.look(&stage.ana, file).await.expect(200).data()["file"]["url"].clone();
    let path = url
        .as_str()
        .unwrap()
        .strip_prefix("http://127.0.0.1:5000")
        .unwrap()
        .to_owned();
    stage.app.get(&path).await.expect(200);
    let start = path.rfind('/').unwrap() + 1;
    let none = stage.app.get("/api/media/shared/nothing").await;
    for at in [start, start + 9, path.len() - 1] {
        let mut changed = path.clone().into_bytes();
        changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
        let answer = stage.app.get(&String::from_utf8(changed).unwrap()).await;
        assert_eq!(answer.status(), 404, "{answer}");
        assert_eq!(told(&answer), told(&none));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_content_of_two_people_has_two_tags() {
    let stage = Stage::waiting().await;
    let mut tags = Vec::new();
    for (person, name) in [
        (&stage.ana, "a.txt"),
        (&stage.ben, "a.txt"),
        (&stage.ben, "b.txt"),
    ] {
        let file = stage.ready(person, name, TEXT).await;
        let path = format!("/api/media/files/{file}/download");
        let answer = stage.app.by(person).get(&path).await;
        tags.push((path, answer.expect(200).header("etag").unwrap().to_owned()));
    }
    assert_eq!(
        stage.count("SELECT count(*) FROM media.blobs").await,
        1,
        "it is there once"
    );
    assert!(
        tags[0].1 != tags[1].1 && tags[1].1 != tags[2].1 && tags[0].1 != tags[2].1,
        "{tags:?}"
    );
    let guessed = stage
        .app
        .by(&stage.ben)
        .get(&tags[1].0)
        .header("if-none-match", &tags[0].1);
    guessed.await.expect(200);
}

/// Uploads in every way; what was answered, and the files.
async fn upload(stage: &Stage, by: &Person, content: &[u8]) -> (Vec<Told>, Vec<Uuid>) {
    let form = Form::new().file("file", "a.txt", content);
    let single = stage.post(by, "/api/media/upload", &form).await;
    let form = Form::new().file("files", "b.txt", content);
    let several = stage.post(by, "/api/media/upload-multiple", &form).await;
    let app = stage.app.by(by);
    let tus = |request: Request| request.header("tus-resumable", "1.0.0");
    let creation = tus(app.post("/api/media/tus/")).header("upload-length", &content.len().to_string());
    let begun = creation.await;
    let place = begun.expect(201).header("location").unwrap().to_owned();
    let append = tus(app.patch(&place)).header("upload-offset", "0");
    let appended = append
        .body("application/offset+octet-stream", content.to_vec())
        .await;
    appended.expect(204);
    let complete = tus(app.request(&Method::HEAD, &place)).await;
    let quota = app.get("/api/media/quota").await;
    let files = vec![
        id(&single.expect(201).data()["file"]),
        id(&several.expect(201).data()["files"][0]["file"]),
        place.rsplit('/').next().unwrap().parse().unwrap(),
    ];
    let answers = [single, several, begun, appended, complete, quota];
    (answers.iter().map(told).collect(), files)
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_does_not_tell_whether_somebody_has_the_content_already() {
    let stage = Stage::set().await;
    let (known, fresh) = (b"The cup shows a bird.", b"The cup shows a fish.");
    let file = id(&stage.upload(&stage.ana, "hers.txt", known).await);
    becomes(&stage, file, "ready").await;
    let cleo = stage.app.person("client").await;
    let (to_ben, bens) = upload(&stage, &stage.ben, known).await;
    let (to_cleo, cleos) = upload(&stage, &cleo, fresh).await;
    assert_eq!(to_ben, to_cleo);
    for (person, files) in [(&stage.ben, bens), (&cleo, cleos)] {
        for file in files {
            // Scanned as any other, though the same bytes were found clean before.
            let path = format!("/api/media/files/{file}/scan-results");
            let said = parlour_testkit::eventually(async || {
                let said = stage.app.by(person).get(&path).await.expect(200).data();
                (said["status"] == "ready").then_some(said)
            });
            assert_eq!(said.await["results"].as_array().unwrap().len(), 1);
        }
    }
    parlour_testkit::eventually_eq(2, async || stage.objects()).await;
    stage.agrees().await;
}
