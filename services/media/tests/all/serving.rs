//! Downloads: ranges as nginx answers them, conditions, and headers.

use parlour_testkit::Client;
use reqwest::Method;
use uuid::Uuid;

use crate::nginx::Nginx;
use crate::support::{Stage, long_text};

/// What matters of an answer: of several ranges each with its place and bytes.
#[derive(Debug, PartialEq, Eq)]
struct Seen {
    status: u16,
    range: Option<String>,
    parts: Vec<(String, Vec<u8>)>,
}

fn seen(answer: &parlour_testkit::Answer) -> Seen {
    let kind = answer.header("content-type").unwrap_or_default();
    let body = answer.bytes().to_vec();
    let parts = match kind.strip_prefix("multipart/byteranges; boundary=") {
        Some(boundary) => parts(&body, boundary),
        None if answer.status() < 300 => vec![(String::new(), body)],
        // The text of a refusal is everybody's own.
        None => Vec::new(),
    };
    Seen {
        status: answer.status(),
        range: answer.header("content-range").map(ToOwned::to_owned),
        parts,
    }
}

fn parts(body: &[u8], boundary: &str) -> Vec<(String, Vec<u8>)> {
    let text = String::from_utf8(body.to_vec()).unwrap();
    let mut parts = Vec::new();
    assert!(text.ends_with(&format!("\r\n--{boundary}--\r\n")));
    for part in text
        .split(&format!("\r\n--{boundary}"))
        .skip(1)
        .filter(|part| *part != "--\r\n")
    {
        let (head, body) = part.split_once("\r\n\r\n").unwrap();
        assert!(head.contains("Content-Type: text/plain"), "{head}");
        let range = head
            .lines()
            .find_map(|line| line.strip_prefix("Content-Range: "))
            .unwrap();
        parts.push((range.to_owned(), body.as_bytes().to_vec()));
    }
    parts
}

/// Ranges of a file of 200,000 bytes.
fn table() -> Vec<String> {
    let fixed = [
        "bytes=0-0",
        "bytes=0-",
        "bytes=1-",
        "bytes=0-199999",
        "bytes=0-200000",
        "bytes=199999-",
        "bytes=199999-199999",
        "bytes=200000-",
        "bytes=200000-200001",
        "bytes=-1",
        "bytes=-0",
        "bytes=-199999",
        "bytes=-200000",
        "bytes=-200001",
        "bytes=65535-65536",
        "bytes=65536-131071",
        "bytes=65536-65536",
        "bytes=131072-",
        "bytes=10-5",
        "bytes=0-99,100-199",
        "bytes=100-199,0-99",
        "bytes=0-99,50-149",
        "bytes=0-9,0-9,0-9",
        "bytes=0-,0-",
        "bytes=0-199999,0-0",
        "bytes=1-1,-1",
        "bytes=0-0,200000-",
        "bytes=200000-,300000-",
        "bytes=65530-65540,131070-131080",
        "bytes= 0-1",
        "bytes=0 - 1",
        "bytes=0-1 , 3-4",
        "bytes=0-1,",
        "bytes=,0-1",
        "bytes=0-1,,3-4",
        "bytes=-",
        "bytes=",
        "bytes",
        "bytes=a-b",
        "bytes=1-b",
        "bytes=0x1-2",
        "bytes=+1-2",
        "bytes=1-+2",
        "Bytes=3-4",
        "BYTES=3-4",
        "lines=0-1",
        "bytes:0-1",
        "bytes=0-1;2-3",
        "bytes=9223372036854775807-",
        "bytes=0-9223372036854775807",
        "bytes=99999999999999999999-1",
        "bytes=1-99999999999999999999",
        "bytes=- 5",
        "bytes=5 -",
    ];
    let mut table: Vec<String> = fixed.iter().map(|&text| text.to_owned()).collect();
    for count in [32, 33, 1000] {
        let ranges: Vec<String> = (0..count).map(|n| format!("{0}-{0}", n * 3)).collect();
        table.push(format!("bytes={}", ranges.join(",")));
    }
    table
}

#[tokio::test(flavor = "multi_thread")]
async fn ranges_are_answered_as_nginx_answers_them() {
    let stage = Stage::waiting().await;
    let content = long_text(200_000);
    let nginx = Nginx::start(&content).await;
    let file = stage.ready(&stage.ana, "a.txt", &content).await;
    let ours = format!("/api/media/files/{file}/download");
    let mut wrong = Vec::new();
    for range in table() {
        let theirs = nginx.client.get("/a.txt").header("range", &range).await;
        let mine = stage.app.by(&stage.ana).get(&ours).header("range", &range).await;
        let (theirs, mine) = (seen(&theirs), seen(&mine));
        if theirs != mine {
            let short = |seen: &Seen| {
                (
                    seen.status,
                    seen.range.clone(),
                    seen.parts.iter().map(|part| part.1.len()).collect::<Vec<_>>(),
                )
            };
            wrong.push(format!(
                "{:.60}: nginx {:?}, we {:?}",
                range,
                short(&theirs),
                short(&mine)
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn conditions_are_judged_as_nginx_judges_them() {
    let stage = Stage::waiting().await;
    let content = long_text(1000);
    let nginx = Nginx::start(&content).await;
    let file = stage.ready(&stage.ana, "a.txt", &content).await;
    let ours = format!("/api/media/files/{file}/download");
    let (past, future) = ("Sun, 06 Nov 1994 08:49:37 GMT", "Fri, 01 Jan 2100 00:00:00 GMT");
    // TAG and DATE stand for what the server itself said.
    for headers in [
        &[("if-none-match", "TAG")][..],
        &[("if-none-match", "W/TAG")],
        &[("if-none-match", "*")],
        &[("if-none-match", "\"x\", TAG")],
        &[("if-none-match", "\"x\"")],
        &[("if-modified-since", "DATE")],
        &[("if-modified-since", past)],
        &[("if-modified-since", future)],
        &[("if-modified-since", "rubbish")],
        &[("if-match", "TAG")],
        &[("if-match", "\"x\"")],
        &[("if-match", "*")],
        &[("if-unmodified-since", past)],
        &[("if-unmodified-since", "DATE")],
        &[("if-range", "TAG"), ("range", "bytes=0-9")],
        &[("if-range", "\"x\""), ("range", "bytes=0-9")],
        &[("if-range", "DATE"), ("range", "bytes=0-9")],
        &[("if-range", past), ("range", "bytes=0-9")],
        &[("if-range", future), ("range", "bytes=0-9")],
        &[("if-none-match", "TAG"), ("range", "bytes=0-9")],
        &[("if-match", "\"x\""), ("range", "bytes=0-9")],
    ] {
        let ask = async |client: &Client, path: &str| {
            let first = client.get(path).await;
            let (tag, date) = (
                first.header("etag").unwrap(),
                first.header("last-modified").unwrap(),
            );
            let mut request = client.get(path);
            for (name, value) in headers {
                request = request.header(name, &value.replace("TAG", tag).replace("DATE", date));
            }
            seen(&request.await)
        };
        let theirs = ask(&nginx.client, "/a.txt").await;
        let mine = ask(&stage.app.by(&stage.ana), &ours).await;
        assert_eq!(mine, theirs, "{headers:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_keep_browsers_from_being_helpful() {
    let stage = Stage::waiting().await;
    let file = stage
        .ready(
            &stage.ana,
            "\u{643}\u{648}\u{628}.txt",
            b"<b>Not a page, only text.",
        )
        .await;
    let path = format!("/api/media/files/{file}");
    for (way, disposition) in [("download", "attachment"), ("stream", "attachment")] {
        let answer = stage.app.by(&stage.ana).get(&format!("{path}/{way}")).await;
        answer.expect(200);
        let header = |name| answer.header(name).unwrap_or_default().to_owned();
        assert_eq!(header("content-type"), "text/plain; charset=utf-8");
        assert_eq!(header("x-content-type-options"), "nosniff");
        assert_eq!(header("content-security-policy"), "default-src 'none'; sandbox");
        assert_eq!(header("accept-ranges"), "bytes");
        let expected =
            format!("{disposition}; filename=\"___.txt\"; filename*=UTF-8''%D9%83%D9%88%D8%A8.txt");
        assert_eq!(header("content-disposition"), expected);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_head_is_the_same_without_the_body() {
    let stage = Stage::waiting().await;
    let content = long_text(100_000);
    let file = stage.ready(&stage.ana, "a.txt", &content).await;
    let path = format!("/api/media/files/{file}/download");
    let got = stage.app.by(&stage.ana).get(&path).await;
    let head = stage
        .app
        .by(&stage.ana)
        .request(&Method::HEAD, &path)
        .header("range", "bytes=0-1")
        .await;
    head.expect(200);
    assert!(head.bytes().is_empty());
    for name in [
        "content-length",
        "etag",
        "last-modified",
        "content-type",
        "accept-ranges",
    ] {
        assert_eq!(head.header(name), got.header(name), "{name}");
    }
    assert_eq!(head.header("content-length"), Some("100000"));
    let nobody = format!("/api/media/files/{}/download", Uuid::now_v7());
    stage
        .app
        .by(&stage.ana)
        .get(&nobody)
        .await
        .expect_error(404, "RESOURCE_NOT_FOUND");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_changed_in_the_store_is_not_given_out() {
    let stage = Stage::waiting().await;
    let content = long_text(100_000);
    let file = stage.ready(&stage.ana, "a.txt", &content).await;
    let folder = stage.app.outbox().join("media/objects");
    let inner = std::fs::read_dir(folder).unwrap().next().unwrap().unwrap().path();
    let object = std::fs::read_dir(inner).unwrap().next().unwrap().unwrap().path();
    let sealed = std::fs::read(&object).unwrap();
    assert!(
        !sealed.windows(20).any(|window| window == &content[..20]),
        "it is sealed"
    );
    let mut changed = sealed.clone();
    changed[80_000] ^= 1;
    std::fs::write(&object, &changed).unwrap();
    let path = format!("/api/media/files/{file}/download");
    let whole = stage.app.by(&stage.ana).get(&path).send().await;
    assert!(whole.is_err(), "it breaks off before the changed chunk");
    let first = stage
        .app
        .by(&stage.ana)
        .get(&path)
        .header("range", "bytes=0-9")
        .await;
    assert_eq!(first.expect(206).bytes().as_ref(), &content[..10]);
}
