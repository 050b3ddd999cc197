//! A connection to the database that breaks while something is said.

use std::time::Duration;

use parlour_contracts::chat::v1::MessageSent;
use parlour_testkit::{App, eventually_eq};
use serde_json::json;

use crate::services;
use crate::support::Stage;

/// Far more than a message takes to be stored.
const HELD_BACK: Duration = Duration::from_millis(700);

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_was_stored_is_found_by_its_id() {
    let limit = json!({ "requests": 10, "seconds": 1000, "burst": 10 });
    let builder = App::of(&services()).with_faults().set("limits.message", limit);
    let stage = Stage::of(builder).await;
    let session = stage.session().await;
    stage.said(&stage.client, session, "first").await;
    let line = stage.app.database_line();
    line.delay(HELD_BACK);
    let cut = async {
        eventually_eq(2, async || {
            stage.count("SELECT count(*) FROM chat.messages").await
        })
        .await;
        line.pass();
        line.cut();
    };
    let (answer, ()) = futures_util::future::join(stage.say(&stage.client, session, "second"), cut).await;
    assert_eq!(answer.expect(201).data()["seq"], 2);
    assert_eq!(stage.contents(&stage.reader, session).await, ["second", "first"]);
    assert_eq!(stage.app.published::<MessageSent>("chat").await.len(), 2);
    // It was counted once.
    let counted = "SELECT sum(cardinality(at)) FROM chat.sent_lately";
    assert_eq!(stage.count(counted).await, 2);
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
