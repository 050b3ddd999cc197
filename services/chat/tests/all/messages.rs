//! Saying something and reading it.

use futures_util::future::join_all;
use parlour_contracts::chat::v1::{MessageRead, MessageSent};
use parlour_testkit::App;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::services;
use crate::support::{Stage, id, numbers, strings};

#[tokio::test(flavor = "multi_thread")]
async fn what_one_says_the_other_reads() {
    let stage = Stage::set().await;
    let session = stage.session().await;
    let said = stage.said(&stage.client, session, "Salâm 🌙").await;
    assert_eq!(said["seq"], 1);
    assert_eq!(said["type"], "text");
    assert_eq!(said["profiles"]["first_name"], "Cleo");
    assert_eq!(said["is_read"], false);
    let page = stage.page(&stage.reader, session, "").await;
    assert_eq!(page["has_more"], false);
    let seen = &page["messages"][0];
    assert_eq!(seen["content"], "Salâm 🌙");
    assert_eq!(seen["sender_id"], json!(stage.client.id));
    assert_eq!((&seen["id"], &seen["is_read"]), (&said["id"], &json!(false)));
    assert_eq!(seen["message_reactions"], json!([]));
    let told: Vec<MessageSent> = stage.app.published("chat").await;
    assert_eq!(told.len(), 1);
    assert_eq!((told[0].seq, told[0].held), (1, false));
    assert_eq!(told[0].recipient_ids, [stage.reader.id.to_string()]);
    assert_eq!(told[0].message_id, said["id"].as_str().unwrap());
    assert!(told[0].text.is_empty() && !told[0].text_sealed.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_at_once_are_numbered_without_holes() {
    let stage = Stage::of(App::of(&services()).replicas(2)).await;
    let session = stage.session().await;
    let sends = (0..100).map(|n| {
        let who = if n % 3 == 0 { &stage.client } else { &stage.reader };
        let client = stage.app.replica(n % 2).signed_in(&who.token);
        let body = json!({ "session_id": session, "content": format!("m{n}") });
        async move { client.post("/api/chat/messages").json(body).await }
    });
    for answer in join_all(sends).await {
        answer.expect(201);
    }
    let page = stage.page(&stage.client, session, "&limit=100").await;
    let expected: Vec<i64> = (1..=100).rev().collect();
    assert_eq!(numbers(&page["messages"], "seq"), expected);
    let mut contents = strings(&page["messages"], "content");
    contents.sort();
    contents.dedup();
    assert_eq!(contents.len(), 100);
    for message in page["messages"].as_array().unwrap() {
        let sender = if message["sender_id"] == json!(stage.client.id) {
            "Cleo"
        } else {
            "Rae"
        };
        assert_eq!(message["profiles"]["first_name"], sender, "{message}");
    }
    let told: Vec<MessageSent> = stage.app.published("chat").await;
    let seqs: Vec<i64> = told.iter().map(|event| event.seq).collect();
    assert_eq!(seqs, (1..=100).collect::<Vec<i64>>());
}

#[tokio::test(flavor = "multi_thread")]
async fn sent_under_one_id_it_is_one_message() {
    let stage = Stage::of(App::of(&services()).replicas(2)).await;
    let session = stage.session().await;
    let body = json!({ "session_id": session, "content": "once", "client_id": "mine-1" });
    let sends = (0..20).map(|n| {
        let client = stage.app.replica(n % 2).signed_in(&stage.client.token);
        let body = body.clone();
        async move {
            client
                .post("/api/chat/messages")
                .json(body)
                .await
                .expect(201)
                .data()
        }
    });
    let answers = join_all(sends).await;
    assert!(answers.iter().all(|answer| answer["id"] == answers[0]["id"]));
    assert!(
        answers
            .iter()
            .all(|answer| answer["seq"] == 1 && answer["content"] == "once")
    );
    // The server's own id is as good, and another person's ids are their own.
    let stored = answers[0]["id"].as_str().unwrap();
    let again = json!({ "session_id": session, "content": "x", "client_id": stored });
    let again = stage.post(&stage.client, again).await.expect(201).data();
    assert_eq!(again["id"], *stored);
    let other = json!({ "session_id": session, "content": "other", "client_id": "mine-1" });
    assert_eq!(
        stage.post(&stage.reader, other).await.expect(201).data()["seq"],
        2
    );
    let theirs = json!({ "session_id": session, "content": "third", "client_id": stored });
    assert_eq!(
        stage.post(&stage.reader, theirs).await.expect(201).data()["seq"],
        3
    );
    assert_eq!(
        stage.contents(&stage.client, session).await,
        ["third", "other", "once"]
    );
    assert_eq!(stage.app.published::<MessageSent>("chat").await.len(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_idempotency_key_says_it_once() {
    let stage = Stage::set().await;
    let session = stage.session().await;
    let send = |content: &str| {
        let body = json!({ "session_id": session, "content": content });
        stage
            .app
            .by(&stage.client)
            .post("/api/chat/messages")
            .json(body)
            .idempotency_key("k")
    };
    let first = send("hello").await.expect(201).data();
    assert_eq!(send("hello").await.expect(201).data(), first);
    send("other").await.expect_error(409, "IDEMPOTENCY_KEY_REUSED");
    assert_eq!(stage.contents(&stage.reader, session).await, ["hello"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_by_number_and_by_message_meet_without_gaps() {
    let stage = Stage::set().await;
    let session = stage.session().await;
    let mut ids = Vec::new();
    for n in 1..=25 {
        ids.push(id(&stage.said(&stage.client, session, &format!("m{n}")).await));
    }
    let first = stage.page(&stage.reader, session, "&limit=10").await;
    assert_eq!(
        numbers(&first["messages"], "seq"),
        (16..=25).rev().collect::<Vec<i64>>()
    );
    assert_eq!(first["has_more"], true);
    let third = stage.page(&stage.reader, session, "&limit=10&page=3").await;
    assert_eq!(
        numbers(&third["messages"], "seq"),
        (1..=5).rev().collect::<Vec<i64>>()
    );
    assert_eq!(third["has_more"], false);
    let before = format!("&limit=10&before_message_id={}", ids[15]);
    let before = stage.page(&stage.reader, session, &before).await;
    assert_eq!(
        numbers(&before["messages"], "seq"),
        (6..=15).rev().collect::<Vec<i64>>()
    );
    assert_eq!(before["has_more"], true);
    let first_of_all = format!("&before_message_id={}", ids[0]);
    let empty = stage.page(&stage.reader, session, &first_of_all).await;
    assert_eq!(
        (&empty["messages"], &empty["has_more"]),
        (&json!([]), &json!(false))
    );
    let beyond = stage.page(&stage.reader, session, "&page=9").await;
    assert_eq!(beyond["messages"], json!([]));
    let unknown = format!(
        "/api/chat/messages?session_id={session}&before_message_id={}",
        Uuid::now_v7()
    );
    stage
        .app
        .by(&stage.reader)
        .get(&unknown)
        .await
        .expect_error(400, "VALIDATION_ERROR");
}

#[tokio::test(flavor = "multi_thread")]
async fn reading_is_counted_and_told() {
    let stage = Stage::set().await;
    let session = stage.session().await;
    let unread = async |person| {
        let list = stage
            .app
            .by(person)
            .get("/api/chat/sessions")
            .await
            .expect(200)
            .data();
        list["sessions"][0]["unread_count"].as_i64().unwrap()
    };
    let read = async |by, message: &Value| {
        let path = format!("/api/chat/messages/{}/read", message["id"].as_str().unwrap());
        stage.app.by(by).put(&path).await
    };
    let mut said = Vec::new();
    for n in 0..3 {
        said.push(stage.said(&stage.client, session, &format!("m{n}")).await);
    }
    assert_eq!((unread(&stage.client).await, unread(&stage.reader).await), (0, 3));
    // An answer does not mean that everything before was read.
    let answer = stage.said(&stage.reader, session, "answer").await;
    assert_eq!((unread(&stage.client).await, unread(&stage.reader).await), (1, 3));
    let done = read(&stage.reader, &said[1]).await.expect(200).data();
    assert_eq!((&done["seq"], &done["is_read"]), (&json!(2), &json!(true)));
    assert_eq!(unread(&stage.reader).await, 1);
    let page = stage.page(&stage.client, session, "").await;
    let is_read: Vec<bool> = page["messages"]
        .as_array()
        .unwrap()
        .iter()
        .map(|m| m["is_read"] == true)
        .collect();
    assert_eq!(is_read, [false, false, true, true]);
    read(&stage.reader, &said[0]).await.expect(200);
    assert_eq!(unread(&stage.reader).await, 1);
    read(&stage.client, &answer).await.expect(200);
    read(&stage.reader, &answer).await.expect(200);
    assert_eq!((unread(&stage.client).await, unread(&stage.reader).await), (0, 0));
    let told: Vec<MessageRead> = stage.app.published("chat").await;
    let told: Vec<i64> = told.iter().map(|event| event.seq).collect();
    assert_eq!(told, [2, 4, 4]);
    let stranger = stage.another("client", "Sue").await;
    read(&stranger, &answer)
        .await
        .expect_error(404, "RESOURCE_NOT_FOUND");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_limit_is_one_over_all_replicas_and_repeats_are_free() {
    let limit = json!({ "requests": 10, "seconds": 1000, "burst": 10 });
    let stage = Stage::of(App::of(&services()).set("limits.message", limit).replicas(2)).await;
    let session = stage.session().await;
    let send = |n: usize, id: &str| {
        let client = stage.app.replica(n % 2).signed_in(&stage.client.token);
        client.post("/api/chat/messages").json(json!({
            "session_id": session, "content": "x", "client_id": id,
        }))
    };
    let sends = (0..25).map(|n| {
        let request = send(n, &format!("c{n}"));
        async move { request.await }
    });
    let answers = join_all(sends).await;
    let taken = answers.iter().filter(|answer| answer.status() == 201).count();
    assert_eq!(taken, 10);
    let told = |answer: &&parlour_testkit::Answer| answer.header("ratelimit").is_some();
    assert_eq!(answers.iter().filter(told).count(), 25);
    let refused: Vec<_> = answers.iter().filter(|answer| answer.status() != 201).collect();
    for answer in refused {
        answer.expect_error(429, "RATE_LIMIT_EXCEEDED");
        assert!(answer.header("retry-after").is_some());
        assert_eq!(answer.header("ratelimit-policy"), Some("\"message\";q=10;w=1000"));
    }
    let stored = stage.page(&stage.client, session, "").await["messages"][0]["client_id"].clone();
    send(0, stored.as_str().unwrap()).await.expect(201);
    assert_eq!(stage.count("SELECT count(*) FROM chat.messages").await, 10);
    // The other has a bucket of their own.
    stage.said(&stage.reader, session, "y").await;
}

/// Each message is one statement, which nothing rolls back.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_refused_changes_nothing() {
    let stage = Stage::set().await;
    let session = stage.session().await;
    let changed = "SELECT ((SELECT count(*) FROM chat.sent_lately) + (SELECT count(*) FROM chat.messages)
        + (SELECT count(*) FROM chat.held_messages) + (SELECT coalesce(sum(last_seq), 0) FROM chat.sessions)
        + (SELECT count(*) FROM chat.outbox WHERE type = 'chat.message.sent'))::bigint";
    let before = stage.count(changed).await;
    let encrypted = json!({ "session_id": session, "content": "x", "type": "encrypted" });
    stage.post(&stage.client, encrypted).await.expect(400);
    assert_eq!(stage.count(changed).await, before);
}
