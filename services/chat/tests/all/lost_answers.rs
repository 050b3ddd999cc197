//! A connection to the database that breaks while something is said.

use std::time::Duration;

use parlour_contracts::chat::v1::MessageSent;
use parlour_testkit::{App, eventually_eq};
use serde_json::json;

use crate::pushes::overheard;
use crate::services;
use crate::support::Stage;

/// Far more than a message takes to be stored.
const HELD_BACK: Duration = Duration::from_millis(700);

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_was_stored_is_found_by_its_id() {
    let limit = json!({ "requests": 10, "seconds": 1000, "burst": 10 });
    let builder = App::of(&services()).with_vhost().with_faults();
    let stage = Stage::of(builder.set("limits.message", limit)).await;
    let (heard, _stop) = overheard(&stage).await;
    let session = stage.session().await;
    stage.said(&stage.client, session, "first").await;
    let line = stage.app.database_line();
    line.delay(HELD_BACK);
    let cut = async {
        eventually_eq(2, async || {
            stage.count("SELECT count(*) FROM chat.messages").await
        })
        .await;
        line.cut();
        line.pass();
    };
    let (answer, ()) = futures_util::future::join(stage.say(&stage.client, session, "second"), cut).await;
    assert_eq!(answer.expect(201).data()["seq"], 2);
    assert_eq!(stage.contents(&stage.reader, session).await, ["second", "first"]);
    assert_eq!(stage.app.published::<MessageSent>("chat").await.len(), 2);
    // The sockets are told, though nobody was when it was stored.
    let told = async || {
        heard
            .lock()
            .unwrap()
            .iter()
            .filter(|push| push.payload["seq"] == 2)
            .count()
    };
    eventually_eq(1, told).await;
    // It was counted once.
    let counted = "SELECT sum(cardinality(at)) FROM chat.sent_lately";
    assert_eq!(stage.count(counted).await, 2);
}

/// What is posted and then emitted stays one message, though the connection breaks in between.
#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_is_said_again_is_found_by_the_senders_id() {
    let stage = Stage::of(App::of(&services()).with_faults()).await;
    let session = stage.session().await;
    let first = stage.said(&stage.client, session, "first").await;
    let before = stage
        .count("SELECT (extract(epoch FROM clock_timestamp()) * 1e6)::bigint")
        .await;
    let line = stage.app.database_line();
    line.delay(HELD_BACK);
    let cut = async {
        let asked = format!(
            "SELECT count(*) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND datname = current_database()
             AND query LIKE '%send_message(%' AND extract(epoch FROM query_start) * 1e6 > {before}"
        );
        eventually_eq(1, async || stage.count(&asked).await).await;
        line.cut();
        line.pass();
    };
    let body = json!({ "session_id": session, "content": "first", "client_id": first["id"] });
    let (answer, ()) = futures_util::future::join(stage.post(&stage.client, body), cut).await;
    assert_eq!(answer.expect(201).data()["id"], first["id"]);
    assert_eq!(stage.contents(&stage.reader, session).await, ["first"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_that_died_are_replaced() {
    let stage = Stage::of(App::of(&services()).with_faults()).await;
    let session = stage.session().await;
    for n in 0..5 {
        stage.said(&stage.client, session, &n.to_string()).await;
        stage.app.database_line().cut();
    }
    assert_eq!(
        stage.contents(&stage.reader, session).await,
        ["4", "3", "2", "1", "0"]
    );
}
