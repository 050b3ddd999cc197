//! Voice notes and files, with the real media beside chat.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use parlour_db::{Scope, Tx};
use parlour_testkit::{App, AppBuilder, Person, Request, eventually, eventually_eq, free_address};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::{Stage, id};

/// A second of silence, 8 bits at 8 kHz.
fn wav() -> Vec<u8> {
    let samples: u32 = 8000;
    let mut bytes = b"RIFF".to_vec();
    bytes.extend_from_slice(&(36 + samples).to_le_bytes());
    bytes.extend_from_slice(b"WAVEfmt ");
    bytes.extend_from_slice(&16u32.to_le_bytes());
    for short in [1u16, 1] {
        bytes.extend_from_slice(&short.to_le_bytes());
    }
    for long in [8000u32, 8000] {
        bytes.extend_from_slice(&long.to_le_bytes());
    }
    for short in [1u16, 8] {
        bytes.extend_from_slice(&short.to_le_bytes());
    }
    bytes.extend_from_slice(b"data");
    bytes.extend_from_slice(&samples.to_le_bytes());
    bytes.resize(bytes.len() + 8000, 128);
    bytes
}

/// A picture of one point.
fn png() -> Vec<u8> {
    let text =
        "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";
    STANDARD.decode(text).unwrap()
}

/// A picture that media has, as it is said in a conversation.
fn picture(session: Uuid, file: Uuid, name: &str) -> parlour_chat::sending::NewMessage {
    parlour_chat::sending::NewMessage {
        id: parlour_contracts::id::new(),
        origin: None,
        session_id: session,
        client_id: None,
        kind: parlour_chat::domain::kinds::MessageKind::Image,
        content: String::new(),
        metadata: None,
        file: Some(parlour_chat::sending::File {
            id: file,
            name: name.to_owned(),
            size: 1,
        }),
    }
}

/// identity, media and chat in one process, whose address chat knows as media's.
fn beside_media() -> AppBuilder {
    let address = free_address().to_string();
    let services = [
        parlour_identity::service(),
        parlour_media::service(),
        parlour_chat::service(),
    ];
    App::of(&services)
        .set("http.listen", &address)
        .set("chat.media_url", format!("http://{address}"))
}

#[derive(Default)]
struct Form(Vec<u8>);

impl Form {
    fn field(mut self, name: &str, value: &str) -> Self {
        let part = format!("--XyZ\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n");
        self.0.extend_from_slice(part.as_bytes());
        self
    }

    fn file(mut self, name: &str, file_name: &str, content: &[u8]) -> Self {
        let head = format!(
            "--XyZ\r\nContent-Disposition: form-data; name=\"{name}\"; filename=\"{file_name}\"\r\n\
             Content-Type: application/octet-stream\r\n\r\n"
        );
        self.0.extend_from_slice(head.as_bytes());
        self.0.extend_from_slice(content);
        self.0.extend_from_slice(b"\r\n");
        self
    }

    fn send(self, stage: &Stage, by: &Person, path: &str) -> Request {
        let body = [self.0.as_slice(), b"--XyZ--\r\n"].concat();
        let request = stage.app.by(by).post(path);
        request.body("multipart/form-data; boundary=XyZ", body)
    }
}

fn voice(session: Uuid) -> Form {
    let form = Form::default().field("duration", "99");
    form.file("voice_note", "note.wav", &wav())
        .field("session_id", &session.to_string())
}

/// What a link of media's answers to somebody without a token.
async fn opened(stage: &Stage, message: &Value) -> Vec<u8> {
    let url = message["file_url"].as_str().unwrap();
    let path = url.strip_prefix("http://127.0.0.1:5000").unwrap();
    stage.app.get(path).await.expect(200).bytes().to_vec()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_voice_note_is_measured_stored_and_shown_once_it_was_scanned() {
    let stage = Stage::of(beside_media().with_vhost()).await;
    let session = stage.session().await;
    let send = || {
        voice(session)
            .send(&stage, &stage.client, "/api/chat/voice-notes")
            .idempotency_key("v")
    };
    let said = send().await.expect(201).data();
    assert_eq!(said["type"], "voice");
    assert_eq!(
        said["metadata"],
        json!({ "duration": 1.0, "audio_format": "wav" })
    );
    assert_eq!(said["file_size"], 8044);
    assert_eq!(said["moderation_state"], "held");
    assert_eq!(send().await.expect(201).data()["id"], said["id"]);
    assert_eq!(stage.count("SELECT count(*) FROM media.files").await, 1);
    eventually_eq(1, async || stage.contents(&stage.reader, session).await.len()).await;
    let seen: Value = stage.page(&stage.reader, session, "").await["messages"][0].clone();
    assert_eq!((&seen["id"], &seen["seq"]), (&said["id"], &json!(1)));
    assert_eq!(opened(&stage, &seen).await, wav());
    // Media tells those who take part what it looks like.
    let path = format!("/api/media/files/{}", seen["file_id"].as_str().unwrap());
    let file = eventually(async || {
        let told = stage.app.by(&stage.reader).get(&path).await;
        (told.status() == 200).then(|| told.data()["file"].clone())
    });
    assert_eq!(file.await["waveform"].as_array().unwrap().len(), 100);
    // A reader's waits for a monitor as well.
    let theirs = voice(session)
        .send(&stage, &stage.reader, "/api/chat/voice-notes")
        .await;
    let theirs = theirs.expect(201).data();
    let waits = "SELECT count(*) FROM chat.held_messages WHERE review AND NOT scan";
    eventually_eq(1, async || stage.count(waits).await).await;
    let approved = parlour_contracts::moderation::v1::ContentApproved {
        content_type: "voice".to_owned(),
        content_id: id(&theirs).to_string(),
        ..Default::default()
    };
    stage.tell(format!("message:{}", id(&theirs)), approved).await;
    eventually_eq(2, async || stage.contents(&stage.client, session).await.len()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_picture_has_a_caption_and_its_verdict_may_come_first() {
    let stage = Stage::of(beside_media().with_vhost()).await;
    let session = stage.session().await;
    let form = Form::default()
        .field("session_id", &session.to_string())
        .field("caption", "my cat")
        .file("file", "cat.png", &png());
    let said = form
        .send(&stage, &stage.client, "/api/chat/files")
        .await
        .expect(201)
        .data();
    assert_eq!(
        (&said["type"], &said["content"]),
        (&json!("image"), &json!("my cat"))
    );
    assert_eq!(
        (&said["file_name"], &said["metadata"]["mime_type"]),
        (&json!("cat.png"), &json!("image/png"))
    );
    eventually_eq(vec!["my cat".to_owned()], async || {
        stage.contents(&stage.reader, session).await
    })
    .await;
    let seen: Value = stage.page(&stage.reader, session, "").await["messages"][0].clone();
    assert!(!opened(&stage, &seen).await.is_empty());
    // The verdict before the message: nothing is lost.
    let chat = crate::pushes::chat(&stage);
    let file = Uuid::now_v7();
    stage
        .sql(&format!(
            "INSERT INTO chat.files (id, owner_id, state, seen_at) VALUES ('{file}', '{}', 'ready', now())",
            stage.client.id
        ))
        .await;
    let sender = parlour_chat::viewer::Sender {
        id: stage.client.id,
        staff: false,
        reader: false,
    };
    let new = picture(session, file, "b.png");
    let sent = parlour_chat::sending::send(&chat, &sender, new).await.unwrap();
    assert_eq!(sent.message.seq, Some(2));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_taken_reaches_neither_media_nor_the_conversation() {
    let stage = Stage::of(beside_media()).await;
    let session = stage.session().await;
    let (notes, files) = ("/api/chat/voice-notes", "/api/chat/files");
    let with = |name: &str, content: &[u8]| {
        Form::default()
            .field("session_id", &session.to_string())
            .file(name, "a.bin", content)
    };
    let big = vec![0xff; 10 * 1024 * 1024 + 1];
    for (form, path, status, code) in [
        (with("voice_note", &png()), notes, 415, "UNSUPPORTED_FILE_TYPE"),
        (
            with("voice_note", b"RIFF....WAVEfmt "),
            notes,
            415,
            "UNSUPPORTED_FILE_TYPE",
        ),
        (with("file", &wav()), files, 415, "UNSUPPORTED_FILE_TYPE"),
        (with("file", b"plain text"), files, 415, "UNSUPPORTED_FILE_TYPE"),
        (with("file", b""), files, 400, "VALIDATION_ERROR"),
        (with("other", &png()), files, 400, "VALIDATION_ERROR"),
        (with("file", &big), files, 413, "FILE_TOO_LARGE"),
        (
            Form::default().file("file", "a.png", &png()),
            files,
            400,
            "VALIDATION_ERROR",
        ),
    ] {
        let answer = form.send(&stage, &stage.client, path).await;
        answer.expect_error(status, code);
    }
    let answer = with("file", &png()).send(&stage, &stage.monitor, files).await;
    answer.expect_error(403, "CHAT_ACCESS_DENIED");
    let json = stage.app.by(&stage.client).post(files).json(json!({})).await;
    json.expect_error(415, "UNSUPPORTED_MEDIA_TYPE");
    assert_eq!(stage.count("SELECT count(*) FROM media.files").await, 0);
    assert_eq!(stage.count("SELECT count(*) FROM chat.messages").await, 0);
    // What media refuses is refused in its words: this is the name of another type.
    let form = Form::default()
        .field("session_id", &session.to_string())
        .file("file", "a.pdf", &png());
    form.send(&stage, &stage.client, files)
        .await
        .expect_error(415, "UNSUPPORTED_FILE_TYPE");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_media_there_are_no_files_and_words_go_on() {
    let app = App::of(&crate::services()).set("chat.media_url", "http://127.0.0.1:1");
    let stage = Stage::of(app).await;
    let session = stage.session().await;
    let answer = voice(session)
        .send(&stage, &stage.client, "/api/chat/voice-notes")
        .await;
    answer.expect_error(503, "UPSTREAM_UNAVAILABLE");
    stage.said(&stage.client, session, "hello").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_verdict_and_its_message_meet_in_whatever_order_they_come() {
    let stage = Stage::set().await;
    let session = stage.session().await;
    let chat = crate::pushes::chat(&stage);
    let owner = stage.client.id;
    let sender = parlour_chat::viewer::Sender {
        id: owner,
        staff: false,
        reader: false,
    };
    let meet = (0..40).map(|_| {
        let (chat, sender, file) = (chat.clone(), sender.clone(), Uuid::now_v7());
        let new = picture(session, file, "a.png");
        async move {
            let hearing = chat.clone();
            let told = chat.db.write(Scope::Service, async move |tx: &mut Tx| {
                hearing.file_ready(tx, file, owner).await
            });
            let (sent, told) =
                futures_util::future::join(parlour_chat::sending::send(&chat, &sender, new), told).await;
            told.unwrap();
            sent.unwrap();
        }
    });
    futures_util::future::join_all(meet).await;
    assert_eq!(stage.count("SELECT count(*) FROM chat.held_messages").await, 0);
    let page = stage.page(&stage.reader, session, "&limit=100").await;
    let expected: Vec<i64> = (1..=40).rev().collect();
    assert_eq!(crate::support::numbers(&page["messages"], "seq"), expected);
}
