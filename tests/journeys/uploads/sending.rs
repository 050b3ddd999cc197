//! Senders that do not give up: an upload is tried until it is acknowledged.

use std::time::Duration;

use parlour_testkit::{Answer, Client};
use reqwest::Method;
use uuid::Uuid;

use super::contents::content;

/// How long a sender waits after a connection that broke, or a wish to come again.
const PAUSE: Duration = Duration::from_millis(100);

/// Sends the `n`th of `all` uploads; the file that was acknowledged, and how many attempts were cut.
pub(super) async fn send(client: &Client, n: usize, all: usize) -> (Uuid, usize) {
    let (name, bytes) = content(n, all);
    let mut cut = 0;
    let id = if n.is_multiple_of(4) {
        in_pieces(client, n, name, &bytes, &mut cut).await
    } else {
        whole(client, n, name, &bytes, &mut cut).await
    };
    (id, cut)
}

/// As a form, under a key: what was stored before a crash is not stored again.
async fn whole(client: &Client, n: usize, name: &str, bytes: &[u8], cut: &mut usize) -> Uuid {
    let head = format!(
        "--XyZ\r\nContent-Disposition: form-data; name=\"file\"; filename=\"{name}\"\r\n\
         Content-Type: application/octet-stream\r\n\r\n"
    );
    let form = [head.as_bytes(), bytes, b"\r\n--XyZ--\r\n"].concat();
    let request = || {
        let request = client
            .post("/api/media/upload")
            .idempotency_key(&format!("upload-{n}"));
        request.body("multipart/form-data; boundary=XyZ", form.clone())
    };
    loop {
        if let Some(answer) = answered(request().send().await, cut).await {
            let file = &answer.expect(201).data()["file"];
            return file["id"].as_str().unwrap().parse().unwrap();
        }
    }
}

/// By tus, in three pieces and however many more crashes make of them.
async fn in_pieces(client: &Client, n: usize, name: &str, bytes: &[u8], cut: &mut usize) -> Uuid {
    use base64::Engine as _;
    let name = base64::engine::general_purpose::STANDARD.encode(name);
    let begin = || {
        let request = client
            .post("/api/media/tus/")
            .idempotency_key(&format!("tus-{n}"));
        let request = request.header("upload-length", &bytes.len().to_string());
        let request = request.header("upload-metadata", &format!("filename {name}"));
        request.header("tus-resumable", "1.0.0")
    };
    let place = loop {
        if let Some(answer) = answered(begin().send().await, cut).await {
            break answer.expect(201).header("location").unwrap().to_owned();
        }
    };
    let mut offset = 0;
    while offset < bytes.len() {
        let end = (offset + bytes.len().div_ceil(3)).min(bytes.len());
        let request = client.patch(&place).header("tus-resumable", "1.0.0");
        let request = request.header("upload-offset", &offset.to_string());
        let request = request.body("application/offset+octet-stream", bytes[offset..end].to_vec());
        let answer = match answered(request.send().await, cut).await {
            Some(answer) => answer,
            None => loop {
                let request = client.request(&Method::HEAD, &place);
                let sent = request.header("tus-resumable", "1.0.0").send().await;
                if let Some(answer) = answered(sent, cut).await {
                    break answer.expect(200).clone();
                }
            },
        };
        assert!(matches!(answer.status(), 200 | 204), "{answer}");
        offset = answer.header("upload-offset").unwrap().parse().unwrap();
    }
    place.rsplit('/').next().unwrap().parse().unwrap()
}

/// The answer, if there is one and it is not to come again: 503, 423, too many uploads that dead
/// processes left open, a key that their transaction still has, an offset that another attempt has changed.
async fn answered(sent: Result<Answer, reqwest::Error>, cut: &mut usize) -> Option<Answer> {
    match sent {
        Ok(answer) if !matches!(answer.status(), 409 | 423 | 429 | 503) => return Some(answer),
        Ok(_) => {}
        Err(_) => *cut += 1,
    }
    tokio::time::sleep(PAUSE).await;
    None
}
