//! Files that somebody sends to do harm. Each is refused, and leaves nothing.

use parlour_testkit::eventually_eq;
use tokio::io::AsyncWriteExt as _;

use crate::support::{Form, Stage, TEXT, long_text, pixel, silence, waiting};

/// The test file of scanners, put together here so that no scanner finds this one.
fn eicar() -> Vec<u8> {
    let parts = [
        r"X5O!P%@AP[4\PZX54(P^)7CC)7}$EICAR",
        "-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*",
    ];
    parts.concat().into_bytes()
}

/// A PNG chunk.
fn chunk(kind: [u8; 4], data: &[u8]) -> Vec<u8> {
    let body = [kind.as_slice(), data].concat();
    let mut crc = u32::MAX;
    for byte in &body {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            crc = if crc & 1 == 1 {
                (crc >> 1) ^ 0xedb8_8320
            } else {
                crc >> 1
            };
        }
    }
    let length = u32::try_from(data.len()).unwrap().to_be_bytes();
    [length.as_slice(), &body, &(!crc).to_be_bytes()].concat()
}

/// A PNG that says to have 50,000 × 50,000 pixels.
fn bomb() -> Vec<u8> {
    let side = 50_000u32.to_be_bytes();
    let header = [side.as_slice(), &side, &[8, 6, 0, 0, 0]].concat();
    let data = [0x78, 0x9c, 0x63, 0, 0, 0, 1, 0, 1];
    [
        b"\x89PNG\r\n\x1a\n".as_slice(),
        &chunk(*b"IHDR", &header),
        &chunk(*b"IDAT", &data),
        &chunk(*b"IEND", &[]),
    ]
    .concat()
}

/// A GIF of one pixel in so many frames.
fn gif(frames: usize) -> Vec<u8> {
    let mut gif = b"GIF89a\x01\0\x01\0\x80\0\0\0\0\0\xff\xff\xff".to_vec();
    for _ in 0..frames {
        gif.extend_from_slice(b"\x21\xf9\x04\0\x01\0\0\0\x2c\0\0\0\0\x01\0\x01\0\0\x02\x02\x44\x01\0");
    }
    gif.push(0x3b);
    gif
}

#[tokio::test(flavor = "multi_thread")]
async fn harmful_files_are_refused_and_leave_nothing() {
    let stage = Stage::waiting().await;
    let zip = b"PK\x03\x04\x14\0\0\0\x08\0aaaaaaaaaaaaaaaa".as_slice();
    let html = [
        b"\xff\xd8\xff\xe0\0\x10JFIF\0\x01".as_slice(),
        b"<html><script>alert(1)</script></html>",
    ]
    .concat();
    let script = b"%PDF-1.7\n1 0 obj\n<< /Type /Catalog /OpenAction << /S /JavaScript /JS (app.alert\\(1\\)) >> >>\nendobj\n\
        trailer\n<< /Root 1 0 R >>\n%%EOF\n";
    let mut infected_png = pixel();
    infected_png.extend_from_slice(&eicar());
    let mut infected_wav = silence(100);
    infected_wav.extend_from_slice(&eicar());
    let pdf = [b"%PDF-1.4\n".as_slice(), &eicar(), b"\n%%EOF\n"].concat();
    let jpeg = [
        0xff, 0xd8, 0xff, 0xe0, 0, 16, b'J', b'F', b'I', b'F', 0, 1, 1, 0, 0, 1, 0, 1, 0, 0,
    ];
    for (name, content, status, code) in [
        ("bomb.png", bomb(), 415, "UNSUPPORTED_FILE_TYPE"),
        ("cut.png", pixel()[..40].to_vec(), 415, "UNSUPPORTED_FILE_TYPE"),
        ("cut.jpg", jpeg.to_vec(), 415, "UNSUPPORTED_FILE_TYPE"),
        ("frames.gif", gif(100_000), 415, "UNSUPPORTED_FILE_TYPE"),
        ("zip.jpg", zip.to_vec(), 415, "UNSUPPORTED_FILE_TYPE"),
        (
            "page.html",
            b"<!doctype html><p>Hello".to_vec(),
            415,
            "UNSUPPORTED_FILE_TYPE",
        ),
        (
            "picture.svg",
            b"<svg xmlns='http://www.w3.org/2000/svg'/>".to_vec(),
            415,
            "UNSUPPORTED_FILE_TYPE",
        ),
        ("empty.txt", Vec::new(), 415, "UNSUPPORTED_FILE_TYPE"),
        ("name.png", TEXT.to_vec(), 415, "UNSUPPORTED_FILE_TYPE"),
        ("script.pdf", script.to_vec(), 422, "FILE_INFECTED"),
        ("eicar.txt", eicar(), 422, "FILE_INFECTED"),
        ("eicar.png", infected_png, 422, "FILE_INFECTED"),
        ("eicar.wav", infected_wav, 422, "FILE_INFECTED"),
        ("eicar.pdf", pdf, 422, "FILE_INFECTED"),
    ] {
        let form = Form::new().file("file", name, &content);
        let answer = stage.post(&stage.ana, "/api/media/upload", &form).await;
        assert_eq!(
            (answer.status(), answer.code().as_deref()),
            (status, Some(code)),
            "{name}: {}",
            answer.text()
        );
    }
    let form = Form::new().file("file", "both.jpg", &html);
    let answer = stage.post(&stage.ana, "/api/media/upload", &form).await;
    assert!(
        [415, 422].contains(&answer.status()),
        "a JPEG that is also a page"
    );
    stage.untouched().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_type_that_the_header_denies_is_a_mismatch() {
    let stage = Stage::waiting().await;
    let form = Form::new().typed("file", "a", "image/png", TEXT);
    let answer = stage.post(&stage.ana, "/api/media/upload", &form).await;
    answer.expect_error(415, "UNSUPPORTED_FILE_TYPE");
    stage.untouched().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_byte_that_is_too_many_ends_the_upload() {
    let stage = Stage::of(waiting().set("media.most_bytes.document", 3_000_000)).await;
    let exact = long_text(3_000_000);
    let file = stage.upload(&stage.ben, "a.txt", &exact).await;
    assert_eq!(file["size"], 3_000_000);
    stage
        .app
        .by(&stage.ben)
        .delete(&format!("/api/media/files/{}", crate::support::id(&file)))
        .await
        .expect(200);
    let form = Form::new().file("file", "a.txt", &long_text(3_000_001));
    let answer = stage.post(&stage.ana, "/api/media/upload", &form).await;
    answer.expect_error(413, "FILE_TOO_LARGE");
    eventually_eq(1, async || stage.objects()).await;
    stage.agrees().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_that_stops_half_way_leaves_nothing() {
    let stage = Stage::waiting().await;
    let form = Form::new().file("file", "a.txt", &long_text(3_000_000)).body();
    for sent in [100, 50_000, 2_500_000] {
        let mut stream = tokio::net::TcpStream::connect(stage.app.client().address())
            .await
            .unwrap();
        let head = format!(
            "POST /api/media/upload HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\n\
             content-type: multipart/form-data; boundary=XyZ\r\ncontent-length: {}\r\n\r\n",
            stage.ana.token,
            form.len()
        );
        stream.write_all(head.as_bytes()).await.unwrap();
        stream.write_all(&form[..sent]).await.unwrap();
        stream.flush().await.unwrap();
        drop(stream);
    }
    stage.untouched().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn names_and_forms_that_are_no_such_thing() {
    let stage = Stage::waiting().await;
    for (name, kept) in [
        ("n".repeat(5000) + ".txt", "n".repeat(196) + ".txt"),
        ("../../etc/passwd".to_owned(), "passwd".to_owned()),
        ("..".to_owned(), "file".to_owned()),
    ] {
        let file = stage.upload(&stage.ana, &name, TEXT).await;
        assert_eq!(file["name"].as_str(), Some(kept.as_str()));
        let path = format!("/api/media/files/{}/download", crate::support::id(&file));
        let answer = stage.app.by(&stage.ana).get(&path).await;
        let disposition = answer
            .expect(200)
            .header("content-disposition")
            .unwrap()
            .to_owned();
        assert_eq!(disposition, format!("attachment; filename=\"{kept}\""));
    }
    let post = |kind: &'static str, body: &'static [u8]| {
        stage
            .app
            .by(&stage.ben)
            .post("/api/media/upload")
            .body(kind, body)
    };
    post("application/json", b"{}")
        .await
        .expect_error(415, "UNSUPPORTED_MEDIA_TYPE");
    for body in [
        b"".as_slice(),
        b"--a--",
        b"--a\r\n\r\n\r\n--a--",
        b"rubbish",
        b"--a\r\nContent-Disposition: form-data; name=\"file\"; filename=\"x\"\r\n\r\ncut",
    ] {
        let answer = post("multipart/form-data; boundary=a", body).await;
        answer.expect_error(400, "VALIDATION_ERROR");
    }
    let none = Form::new().field("description", "x");
    stage
        .post(&stage.ben, "/api/media/upload", &none)
        .await
        .expect_error(400, "VALIDATION_ERROR");
    for (field, value) in [("folder", "a/../b"), ("description", "a\0b")] {
        let form = Form::new().field(field, value).file("file", "a.txt", TEXT);
        stage
            .post(&stage.ben, "/api/media/upload", &form)
            .await
            .expect_error(400, "VALIDATION_ERROR");
    }
    assert_eq!(stage.count("SELECT count(*) FROM media.files").await, 3);
    stage.agrees().await;
}
