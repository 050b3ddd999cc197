//! What no client should say.

use serde_json::{Value, json};
use uuid::Uuid;

use crate::stage::Stage;

#[tokio::test(flavor = "multi_thread")]
async fn everything_wrong_has_its_answer_and_the_connection_goes_on() {
    let stage = Stage::start().await;
    let stranger = stage.app.person("client").await;
    let mut sock = stage.joined(&stage.client).await;
    let session = stage.session;
    let message = |content: Value| json!({ "session_id": session, "message": { "content": content } });
    let wrong = [
        ("dance", json!({})),
        ("join_chat", json!(null)),
        ("join_chat", json!({ "session_id": "x" })),
        (
            "join_chat",
            json!({ "session_id": session, "last_message_id": Uuid::now_v7() }),
        ),
        ("send_message", json!({ "session_id": session })),
        ("send_message", message(json!(""))),
        ("send_message", message(json!("   "))),
        ("send_message", message(json!(7))),
        ("send_message", message(json!("a\u{0}b"))),
        ("send_message", message(json!("x".repeat(4001)))),
        (
            "send_message",
            json!({ "session_id": session, "message": { "content": "x", "type": "dance" } }),
        ),
        (
            "send_message",
            json!({ "session_id": session, "message": { "content": "x", "type": "voice" } }),
        ),
        (
            "message_reaction",
            json!({ "session_id": session, "message_id": "x", "reaction": "y" }),
        ),
        ("mark_read", json!([])),
        ("presence", json!({ "user_ids": vec![Uuid::nil(); 51] })),
        ("reauthenticate", json!({})),
    ];
    for (event, argument) in wrong {
        assert_eq!(
            sock.refused(event, argument.clone()).await,
            "VALIDATION_ERROR",
            "{event} {argument}"
        );
    }
    let nowhere = json!({ "session_id": Uuid::now_v7() });
    assert_eq!(sock.refused("join_chat", nowhere).await, "SESSION_NOT_FOUND");
    let system = json!({ "session_id": session, "message": { "content": "x", "type": "system" } });
    assert_eq!(
        sock.refused("send_message", system).await,
        "INSUFFICIENT_PERMISSIONS"
    );
    let unknown = json!({ "session_id": session, "message_id": Uuid::now_v7() });
    assert_eq!(sock.refused("mark_read", unknown).await, "RESOURCE_NOT_FOUND");
    let mut other = stage.connect(&stranger).await;
    for (event, argument) in [
        ("join_chat", json!({ "session_id": session })),
        ("send_message", stage.saying("1", "let me in")),
        ("typing_start", json!({ "session_id": session })),
    ] {
        assert_eq!(
            other.refused(event, argument).await,
            "CHAT_ACCESS_DENIED",
            "{event}"
        );
    }
    sock.done("send_message", stage.saying("fine", "fine")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_says_too_much_is_told_and_then_cut_off() {
    let stage = Stage::start().await;
    let mut sock = stage.joined(&stage.client).await;
    for _ in 0..100 {
        sock.emit("typing_start", &json!({}));
    }
    assert_eq!(sock.next("error").await["code"], "RATE_LIMIT_EXCEEDED");
    sock.raw("this is no packet");
    sock.closed().await;
}
