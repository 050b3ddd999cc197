//! What somebody tries with messages.

use serde_json::json;

use crate::support::Stage;

#[tokio::test(flavor = "multi_thread")]
async fn messages_have_words_and_a_length() {
    let stage = Stage::set().await;
    let session = stage.session().await;
    for wrong in [
        json!({ "content": "" }),
        json!({ "content": "  \n" }),
        json!({ "content": "a\u{0}b" }),
        json!({ "content": "🌙".repeat(4001) }),
        json!({ "content": 7 }),
        json!({ "content": null }),
        json!({ "content": "x", "type": "voice" }),
        json!({ "content": "x", "type": "carrier pigeon" }),
        json!({ "content": "x", "client_id": "" }),
        json!({ "content": "x", "client_id": "y".repeat(65) }),
        json!({ "content": "x", "metadata": [] }),
        json!({ "content": "x", "metadata": { "k": "v".repeat(17_000) } }),
        json!({ "content": "x", "session_id": "not one" }),
    ] {
        let mut body = json!({ "session_id": session });
        for (name, value) in wrong.as_object().unwrap() {
            body[name] = value.clone();
        }
        stage
            .post(&stage.client, body)
            .await
            .expect_error(400, "VALIDATION_ERROR");
    }
    let system = json!({ "session_id": session, "content": "x", "type": "system" });
    stage
        .post(&stage.client, system.clone())
        .await
        .expect_error(403, "INSUFFICIENT_PERMISSIONS");
    assert_eq!(stage.count("SELECT count(*) FROM chat.messages").await, 0);
    stage.said(&stage.client, session, &"🌙".repeat(4000)).await;
    let staffs = stage.session_of(&stage.monitor, &[&stage.client]).await;
    let mut theirs = system;
    theirs["session_id"] = json!(staffs);
    stage.post(&stage.monitor, theirs).await.expect(201);
    for query in [
        "",
        "?session_id=x",
        "?page=0",
        "?limit=101",
        "?before_message_id=x",
    ] {
        let path = format!("/api/chat/messages{query}");
        stage
            .app
            .by(&stage.client)
            .get(&path)
            .await
            .expect_error(400, "VALIDATION_ERROR");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn closed_doors_cost_tokens_too() {
    let limit = json!({ "requests": 5, "seconds": 1000, "burst": 5 });
    let stage = Stage::of(parlour_testkit::App::of(&crate::services()).set("limits.message", limit)).await;
    let session = stage.session().await;
    let stranger = stage.another("client", "Sue").await;
    for _ in 0..5 {
        stage
            .say(&stranger, session, "let me in")
            .await
            .expect_error(403, "CHAT_ACCESS_DENIED");
    }
    stage
        .say(&stranger, session, "let me in")
        .await
        .expect_error(429, "RATE_LIMIT_EXCEEDED");
}
