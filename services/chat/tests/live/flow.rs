//! The documented flow, and what one conversation looks like to those in it.

use parlour_contracts::moderation::v1::ContentApproved;
use serde_json::{Value, json};

use crate::sock::Sock;
use crate::stage::Stage;

#[tokio::test(flavor = "multi_thread")]
async fn what_is_posted_and_then_emitted_is_seen_once() {
    let stage = Stage::start().await;
    let mut client = stage.joined(&stage.client).await;
    let mut reader = stage.joined(&stage.reader).await;
    let posted = stage.post(&stage.client, "good evening").await;
    let seen = client.next("new_message").await;
    assert_eq!(seen["id"], posted["id"], "the sender's own socket shows it");
    let id = posted["id"].as_str().unwrap();
    let sent = client
        .done("send_message", stage.saying(id, "good evening"))
        .await;
    assert_eq!((&sent["message_id"], &sent["seq"]), (&posted["id"], &json!(1)));
    assert_eq!(client.next("message_sent").await["message_id"], posted["id"]);
    let seen = reader.next("new_message").await;
    assert_eq!(
        (&seen["content"], &seen["seq"], &seen["sender"]["id"]),
        (&json!("good evening"), &json!(1), &json!(stage.client.id))
    );
    assert!(seen.get("origin").is_none(), "{seen}");
    reader.done("send_message", stage.saying("r1", "welcome")).await;
    client.next("new_message").await;
    for sock in [&mut client, &mut reader] {
        assert_eq!(sock.all("new_message").await.len(), 0);
        assert!(sock.all("message_sent").await.len() <= 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_id_is_one_message_and_all_but_the_sending_socket_are_told() {
    let stage = Stage::start().await;
    let mut sending = stage.joined(&stage.client).await;
    let mut other = stage.joined(&stage.client).await;
    let mut reader = stage.joined(&stage.reader).await;
    let first = sending
        .done("send_message", stage.saying("mine-1", "hello"))
        .await;
    let again = sending
        .done("send_message", stage.saying("mine-1", "hello"))
        .await;
    assert_eq!(first["message_id"], again["message_id"]);
    assert_eq!(
        (&first["client_id"], &again["client_id"]),
        (&json!("mine-1"), &json!("mine-1"))
    );
    for sock in [&mut other, &mut reader] {
        let told = sock.next("new_message").await;
        assert_eq!(
            (&told["id"], &told["client_id"]),
            (&first["message_id"], &json!("mine-1"))
        );
    }
    reader.done("send_message", stage.saying("r", "and now?")).await;
    other.next("new_message").await;
    assert_eq!(sending.next("new_message").await["content"], "and now?");
    for sock in [&mut sending, &mut other] {
        assert_eq!(sock.all("new_message").await.len(), 0);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_was_away_hears_everything_in_order_before_being_in() {
    let stage = Stage::start().await;
    let mut reader = stage.joined(&stage.reader).await;
    let first = stage.post(&stage.client, "0").await;
    reader.next("new_message").await;
    drop(reader);
    for number in 1..=250 {
        stage.post(&stage.client, &number.to_string()).await;
    }
    let mut reader = stage.connect(&stage.reader).await;
    let last = json!({ "session_id": stage.session, "last_message_id": first["id"] });
    let joined = reader.done("join_chat", last).await;
    assert_eq!(joined["missed"], 250);
    let seen = reader.all("new_message").await;
    let numbers: Vec<i64> = seen
        .iter()
        .map(|message| message["seq"].as_i64().unwrap())
        .collect();
    assert_eq!(numbers, (2..=251).collect::<Vec<_>>());
    let next = stage.post(&stage.client, "back?").await;
    assert_eq!(reader.next("new_message").await["id"], next["id"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn coming_in_again_repeats_only_what_is_asked_for() {
    let stage = Stage::start().await;
    let mut reader = stage.joined(&stage.reader).await;
    let first = stage.post(&stage.client, "1").await;
    reader.next("new_message").await;
    let join = json!({ "session_id": stage.session });
    let once = said_meanwhile(&stage, &mut reader, &join).await;
    assert_eq!(once, (2..=42).collect::<Vec<_>>());
    let join = json!({ "session_id": stage.session, "last_message_id": first["id"] });
    let anew = said_meanwhile(&stage, &mut reader, &join).await;
    assert_eq!(anew.iter().filter(|number| **number == 2).count(), 40);
    let leaps = anew
        .windows(2)
        .filter(|pair| pair[1] != pair[0] + 1 && pair[1] != 2);
    assert_eq!(leaps.count(), 0, "{anew:?}");
    assert_eq!(anew.last(), Some(&83));
}

/// The numbers of what `reader`, who comes in 40 times, hears of 40 messages.
async fn said_meanwhile(stage: &Stage, reader: &mut Sock, join: &Value) -> Vec<i64> {
    let talking = async {
        for _ in 0..40 {
            stage.post(&stage.client, "and").await;
        }
    };
    let joining = async {
        for _ in 0..40 {
            reader.done("join_chat", join.clone()).await;
        }
    };
    tokio::join!(talking, joining);
    let mut numbers = Vec::new();
    let newest = stage.post(&stage.client, "that was all").await;
    while numbers.last().copied() != newest["seq"].as_i64() {
        numbers.push(reader.next("new_message").await["seq"].as_i64().unwrap());
    }
    numbers
}

#[tokio::test(flavor = "multi_thread")]
async fn typing_reactions_and_reading_are_told_to_the_others() {
    let stage = Stage::start().await;
    let mut client = stage.joined(&stage.client).await;
    let mut reader = stage.joined(&stage.reader).await;
    client.emit("typing_start", &json!(null));
    let typing = reader.next("user_typing").await;
    assert_eq!(
        (&typing["user_id"], &typing["is_typing"]),
        (&json!(stage.client.id), &json!(true))
    );
    let sent = client.done("send_message", stage.saying("1", "done")).await;
    assert_eq!(
        reader.next("user_typing").await["is_typing"],
        false,
        "sending ends it"
    );
    assert_eq!(
        client.all("user_typing").await.len(),
        0,
        "not to the one who types"
    );
    let id = &sent["message_id"];
    for action in ["added", "removed"] {
        let reaction = json!({ "session_id": stage.session, "message_id": id, "reaction": "🌙" });
        reader.done("message_reaction", reaction).await;
        let told = client.next("message_reaction_update").await;
        assert_eq!(
            (&told["action"], &told["reaction"]),
            (&json!(action), &json!("🌙"))
        );
    }
    reader
        .done(
            "mark_read",
            json!({ "session_id": stage.session, "message_id": id }),
        )
        .await;
    let read = client.next("messages_read").await;
    assert_eq!(
        (&read["seq"], &read["user_id"]),
        (&json!(1), &json!(stage.reader.id))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn typing_ends_by_itself() {
    let app = parlour_testkit::App::of(&crate::stage::services()).set("chat.sockets.typing_seconds", 1);
    let stage = Stage::of(app).await;
    let client = stage.joined(&stage.client).await;
    let mut reader = stage.joined(&stage.reader).await;
    client.emit("typing_start", &json!({ "session_id": stage.session }));
    assert_eq!(reader.next("user_typing").await["is_typing"], true);
    assert_eq!(reader.next("user_typing").await["is_typing"], false);
    client.emit("typing_start", &json!({ "session_id": stage.session }));
    assert_eq!(reader.next("user_typing").await["is_typing"], true);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_held_is_its_senders_alone_until_it_is_approved() {
    let app = parlour_testkit::App::of(&crate::stage::services()).set("chat.probation_minutes", 60);
    let stage = Stage::of(app).await;
    let mut sending = stage.joined(&stage.client).await;
    let mut other = stage.joined(&stage.client).await;
    let mut reader = stage.joined(&stage.reader).await;
    let sent = sending.done("send_message", stage.saying("1", "may I?")).await;
    assert_eq!((&sent["seq"], &sent["state"]), (&json!(null), &json!("held")));
    let shown = other.next("new_message").await;
    assert_eq!(
        (&shown["id"], &shown["state"]),
        (&sent["message_id"], &json!("held"))
    );
    assert!(shown.get("origin").is_none(), "{shown}");
    assert_eq!(reader.all("new_message").await.len(), 0);
    let approved = ContentApproved {
        content_type: "message".into(),
        content_id: sent["message_id"].as_str().unwrap().into(),
        session_id: stage.session.to_string(),
        author_id: stage.client.id.to_string(),
        actor_id: stage.reader.id.to_string(),
    };
    stage.tell(approved).await;
    for sock in [&mut reader, &mut sending, &mut other] {
        let told = sock.next("new_message").await;
        assert_eq!((&told["seq"], &told["state"]), (&json!(1), &json!("visible")));
        assert_eq!(sock.all("new_message").await.len(), 0);
    }
}
