//! Pushes that never came, and people who may not hear any more.

use parlour_testkit::{App, eventually};
use serde_json::json;

use crate::stage::{Stage, services};

#[tokio::test(flavor = "multi_thread")]
async fn what_was_said_while_the_broker_was_away_is_heard_when_it_is_back() {
    let app = App::of(&services())
        .with_faults()
        .set("chat.sockets.resync_seconds", 1);
    let stage = Stage::of(app).await;
    let mut client = stage.joined(&stage.client).await;
    let mut reader = stage.joined(&stage.reader).await;
    stage.app.broker_line().refuse();
    for number in 1..=20 {
        let id = format!("m{number}");
        client
            .done("send_message", stage.saying(&id, "are you there?"))
            .await;
    }
    stage.app.broker_line().pass();
    for number in 1..=20 {
        assert_eq!(reader.next("new_message").await["seq"], number);
    }
    assert_eq!(reader.all("new_message").await.len(), 0);
    // Who said it was told by the acknowledgement, and by nothing else.
    assert_eq!(client.all("new_message").await.len(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_takes_no_part_any_more_hears_nothing_even_when_nobody_said_so() {
    let stage = Stage::of(App::of(&services()).set("chat.sockets.resync_seconds", 1)).await;
    let mut client = stage.joined(&stage.client).await;
    let mut reader = stage.joined(&stage.reader).await;
    let admin = stage.app.database().admin().await;
    let sql = format!(
        "UPDATE chat.participants SET left_at = now() WHERE user_id = '{}'",
        stage.reader.id
    );
    admin.batch_execute(&sql).await.unwrap();
    assert_eq!(client.next("user_left").await["user_id"], json!(stage.reader.id));
    stage.post(&stage.client, "between us").await;
    client.next("new_message").await;
    assert_eq!(reader.all("new_message").await.len(), 0);
    let code = reader
        .refused("join_chat", json!({ "session_id": stage.session }))
        .await;
    assert_eq!(code, "CHAT_ACCESS_DENIED");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_reads_nothing_is_cut_off_and_the_others_go_on() {
    let app = App::of(&services())
        .set("chat.sockets.queue", 16)
        .set("chat.sockets.stalled_seconds", 2);
    let stage = Stage::of(app).await;
    let mut reader = stage.joined(&stage.reader).await;
    let address = stage.address(0).await;
    let stuck = crate::sock::stuck(address, &stage.client.token, stage.session).await;
    reader.next("user_joined").await;
    let long = "🌙".repeat(4000);
    let connections = async || stage.app.internal().get("/sockets").await.json()["connections"].clone();
    let mut number = 0;
    eventually(async || {
        number += 1;
        stage.post(&stage.reader, &long).await;
        assert_eq!(
            reader.next("new_message").await["seq"],
            number,
            "the others hear at once"
        );
        connections().await == json!(1)
    })
    .await;
    drop(stuck);
}
