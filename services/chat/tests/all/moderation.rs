//! What other services decide about conversations, through the real broker.

use parlour_contracts::chat::v1::{MessageSent, SessionEnded, SessionUpdated};
use parlour_contracts::identity::v1::AccountDeleted;
use parlour_contracts::media::v1::{FileInfected, FileReady};
use parlour_contracts::moderation::v1::{
    ContentApproved, ContentRejected, SessionLockRequested, SessionTerminateRequested, SessionUnlockRequested,
};
use parlour_testkit::{App, eventually, eventually_eq};
use serde_json::json;
use uuid::Uuid;

use crate::services;
use crate::support::{Stage, id, numbers};

async fn held_stage() -> Stage {
    Stage::of(
        App::of(&services())
            .with_vhost()
            .set("chat.probation_minutes", 60),
    )
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_held_is_seen_by_its_sender_and_monitors_until_it_is_approved() {
    let stage = held_stage().await;
    let session = stage.session().await;
    let mut held = Vec::new();
    for n in 0..3 {
        let said = stage.said(&stage.client, session, &format!("h{n}")).await;
        assert_eq!(
            (&said["moderation_state"], &said["seq"]),
            (&json!("held"), &json!(null))
        );
        held.push(id(&said));
    }
    assert_eq!(stage.contents(&stage.client, session).await, ["h2", "h1", "h0"]);
    assert_eq!(stage.contents(&stage.monitor, session).await, ["h2", "h1", "h0"]);
    assert!(stage.contents(&stage.reader, session).await.is_empty());
    let told: Vec<MessageSent> = stage.app.published("chat").await;
    assert!(told.iter().all(|event| event.held && event.seq == 0));
    let approve = |message: Uuid| ContentApproved {
        content_type: "message".to_owned(),
        content_id: message.to_string(),
        session_id: session.to_string(),
        ..ContentApproved::default()
    };
    // The second goes, the third and then the first stand: numbers are those of becoming visible.
    let reject = ContentRejected {
        content_type: "message".to_owned(),
        content_id: held[1].to_string(),
        session_id: session.to_string(),
        ..ContentRejected::default()
    };
    stage.tell(format!("message:{}", held[1]), reject).await;
    stage.tell(format!("message:{}", held[2]), approve(held[2])).await;
    eventually_eq(vec!["h2".to_owned()], async || {
        stage.contents(&stage.reader, session).await
    })
    .await;
    stage.tell(format!("message:{}", held[0]), approve(held[0])).await;
    let both = vec!["h0".to_owned(), "h2".to_owned()];
    eventually_eq(both.clone(), async || {
        stage.contents(&stage.reader, session).await
    })
    .await;
    eventually_eq(both, async || stage.contents(&stage.client, session).await).await;
    let page = stage.page(&stage.reader, session, "").await;
    assert_eq!(numbers(&page["messages"], "seq"), [2, 1]);
    let told: Vec<MessageSent> = stage.app.published("chat").await;
    let shown: Vec<i64> = told
        .iter()
        .filter(|event| !event.held)
        .map(|event| event.seq)
        .collect();
    assert_eq!(shown, [1, 2]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_holds_held_messages_before_the_others_without_a_gap() {
    let stage = Stage::set().await;
    let session = stage.session().await;
    for n in 0..7 {
        stage.said(&stage.client, session, &format!("m{n}")).await;
    }
    for n in 0..3 {
        let said = stage.said(&stage.client, session, &format!("h{n}")).await;
        // As if it had been held when it was sent.
        stage
            .sql(&format!(
                "INSERT INTO chat.held_messages (session_id, id, sender_id, kind, sealed, review, scan, created_at)
                 SELECT session_id, id, sender_id, kind, sealed, true, false, created_at FROM chat.messages
                 WHERE id = '{0}'; DELETE FROM chat.messages WHERE id = '{0}';
                 UPDATE chat.sessions SET last_seq = last_seq - 1 WHERE id = '{session}'",
                id(&said)
            ))
            .await;
    }
    let mut all = Vec::new();
    for page in 1..=4 {
        let page = stage
            .page(&stage.client, session, &format!("&limit=3&page={page}"))
            .await;
        let more = page["has_more"] == true;
        all.extend(crate::support::strings(&page["messages"], "content"));
        assert_eq!(more, all.len() < 10);
    }
    assert_eq!(all, ["h2", "h1", "h0", "m6", "m5", "m4", "m3", "m2", "m1", "m0"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_removed_message_leaves_its_number_and_nothing_else() {
    let stage = Stage::of(App::of(&services()).with_vhost()).await;
    let session = stage.session().await;
    let said = stage.said(&stage.client, session, "insult").await;
    stage.said(&stage.reader, session, "pardon?").await;
    let reject = ContentRejected {
        content_type: "message".to_owned(),
        content_id: id(&said).to_string(),
        ..ContentRejected::default()
    };
    stage.tell(format!("message:{}", id(&said)), reject).await;
    eventually_eq(vec!["pardon?".to_owned(), String::new()], async || {
        stage.contents(&stage.reader, session).await
    })
    .await;
    let page = stage.page(&stage.client, session, "").await;
    assert_eq!(page["messages"][1]["moderation_state"], "rejected");
    assert_eq!(numbers(&page["messages"], "seq"), [2, 1]);
    let gone = "SELECT count(*) FROM chat.messages WHERE sealed IS NULL AND state = 'rejected'";
    assert_eq!(stage.count(gone).await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn locked_and_ended_conversations_refuse_and_their_requests_are_answered() {
    let stage = Stage::of(App::of(&services()).with_vhost()).await;
    let session = stage.session().await;
    let said = stage.said(&stage.client, session, "hello").await;
    let aggregate = format!("session:{session}");
    let status = async || {
        let path = format!("/api/chat/sessions/{session}");
        stage.app.by(&stage.client).get(&path).await.expect(200).data()["status"].clone()
    };
    let lock = SessionLockRequested {
        session_id: session.to_string(),
        request_id: "r1".to_owned(),
        ..SessionLockRequested::default()
    };
    stage.tell(aggregate.clone(), lock).await;
    eventually_eq(json!("locked"), async || status().await).await;
    stage
        .say(&stage.client, session, "x")
        .await
        .expect_error(409, "SESSION_INACTIVE");
    let unlock = SessionUnlockRequested {
        session_id: session.to_string(),
        request_id: "r2".to_owned(),
        ..SessionUnlockRequested::default()
    };
    stage.tell(aggregate.clone(), unlock).await;
    eventually_eq(json!("active"), async || status().await).await;
    stage.said(&stage.client, session, "again").await;
    for request in ["r3", "r4"] {
        let terminate = SessionTerminateRequested {
            session_id: session.to_string(),
            request_id: request.to_owned(),
            ..SessionTerminateRequested::default()
        };
        stage.tell(aggregate.clone(), terminate).await;
    }
    eventually_eq(json!("ended"), async || status().await).await;
    stage
        .say(&stage.client, session, "x")
        .await
        .expect_error(409, "SESSION_INACTIVE");
    // What was said can be read.
    assert_eq!(stage.contents(&stage.reader, session).await, ["again", "hello"]);
    let read = format!("/api/chat/messages/{}/read", id(&said));
    stage.app.by(&stage.reader).put(&read).await.expect(200);
    eventually(async || stage.app.published::<SessionEnded>("chat").await.len() == 2).await;
    let updated: Vec<SessionUpdated> = stage.app.published("chat").await;
    let updated: Vec<(&str, &str)> = updated
        .iter()
        .map(|event| (event.request_id.as_str(), event.status.as_str()))
        .collect();
    assert_eq!(updated, [("r1", "locked"), ("r2", "active")]);
    let ended: Vec<SessionEnded> = stage.app.published("chat").await;
    let ended: Vec<&str> = ended.iter().map(|event| event.request_id.as_str()).collect();
    assert_eq!(ended, ["r3", "r4"]);
}

/// Puts a message with a file there as the upload would.
async fn with_file(stage: &Stage, session: Uuid, file: Uuid) -> Uuid {
    let said = stage.said(&stage.client, session, "picture").await;
    let message = id(&said);
    stage
        .sql(&format!(
            "INSERT INTO chat.held_messages (session_id, id, sender_id, kind, sealed, file_id, file_size, review, scan, created_at)
             SELECT session_id, id, sender_id, 'image', sealed, '{file}', 7, false, true, created_at
             FROM chat.messages WHERE id = '{message}';
             DELETE FROM chat.messages WHERE id = '{message}';
             UPDATE chat.sessions SET last_seq = last_seq - 1 WHERE id = '{session}';
             INSERT INTO chat.files (id, owner_id, state, session_id, message_id, seen_at)
             VALUES ('{file}', '{}', 'waiting', '{session}', '{message}', now())",
            stage.client.id
        ))
        .await;
    message
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_is_shown_once_it_was_scanned_and_a_harmful_one_never() {
    let stage = Stage::of(App::of(&services()).with_vhost()).await;
    let session = stage.session().await;
    let (clean, harmful) = (Uuid::now_v7(), Uuid::now_v7());
    with_file(&stage, session, clean).await;
    with_file(&stage, session, harmful).await;
    assert!(stage.contents(&stage.reader, session).await.is_empty());
    let (owner_id, file_id) = (stage.client.id.to_string(), clean.to_string());
    let ready = FileReady {
        file_id,
        owner_id: owner_id.clone(),
        ..FileReady::default()
    };
    stage.tell(format!("file:{clean}"), ready).await;
    let infected = FileInfected {
        file_id: harmful.to_string(),
        owner_id,
    };
    stage.tell(format!("file:{harmful}"), infected).await;
    eventually_eq(vec!["picture".to_owned()], async || {
        stage.contents(&stage.reader, session).await
    })
    .await;
    eventually_eq(vec!["picture".to_owned()], async || {
        stage.contents(&stage.client, session).await
    })
    .await;
    let page = stage.page(&stage.reader, session, "").await;
    let url = page["messages"][0]["file_url"].as_str().unwrap().to_owned();
    assert!(
        url.starts_with("http://127.0.0.1:5000/api/media/shared/"),
        "{url}"
    );
    assert_eq!(page["messages"][0]["file_size"], 7);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_erased_leaves_numbers() {
    let stage = Stage::of(App::of(&services()).with_vhost()).await;
    let session = stage.session().await;
    stage.said(&stage.client, session, "my secret").await;
    stage.said(&stage.reader, session, "an answer").await;
    let gone = AccountDeleted {
        account_id: stage.client.id.to_string(),
    };
    stage.tell(format!("account:{}", stage.client.id), gone).await;
    eventually_eq(vec!["an answer".to_owned(), String::new()], async || {
        stage.contents(&stage.reader, session).await
    })
    .await;
    let path = format!("/api/chat/sessions/{session}");
    stage
        .app
        .by(&stage.client)
        .get(&path)
        .await
        .expect_error(403, "CHAT_ACCESS_DENIED");
}
