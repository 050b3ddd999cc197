//! Who is online, and who may know.

use parlour_testkit::{App, eventually};
use serde_json::json;

use crate::stage::{Stage, services};

#[tokio::test(flavor = "multi_thread")]
async fn presence_is_told_over_all_processes_to_people_who_know_each_other() {
    let stage = Stage::of(App::of(&services()).replicas(2)).await;
    let stranger = stage.app.person("client").await;
    let mut client = stage.connect_to(0, &stage.client).await;
    let _stranger = stage.connect_to(0, &stranger).await;
    let asked = json!({ "user_ids": [stage.reader.id, stranger.id] });
    let told = client.done("presence", asked).await;
    let expected = json!({ "users": [{ "user_id": stage.reader.id, "status": "offline" }] });
    assert_eq!(told, expected, "a stranger is not told of");
    assert_eq!(client.next("presence_state").await, expected);
    let reader = stage.connect_to(1, &stage.reader).await;
    assert_eq!(
        client.next("presence_update").await,
        json!({ "user_id": stage.reader.id, "status": "online" })
    );
    drop(reader);
    assert_eq!(client.next("presence_update").await["status"], "offline");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_that_begins_learns_who_is_there_already() {
    let mut stage = Stage::of(App::of(&services()).replicas(2)).await;
    let _reader = stage.connect_to(1, &stage.reader).await;
    stage.app.stop(0);
    let mut client = stage.connect_to(1, &stage.client).await;
    eventually(async || {
        let asked = json!({ "user_ids": [stage.reader.id] });
        client.done("presence", asked).await["users"][0]["status"] == "online"
    })
    .await;
}
