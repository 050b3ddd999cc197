//! A connection lasts as long as its token does.

use chrono::{TimeDelta, Utc};
use parlour_chassis::Clock;
use parlour_testkit::App;
use serde_json::json;

use crate::sock::Sock;
use crate::stage::{Stage, services};

#[tokio::test(flavor = "multi_thread")]
async fn a_bad_token_is_told_why_and_sent_away() {
    let stage = Stage::start().await;
    let mut sock = Sock::connect(stage.address(0).await, "no token").await;
    let told = sock.next("auth_error").await;
    assert_eq!(told["code"], "AUTHENTICATION_REQUIRED");
    sock.closed().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn signing_out_ends_the_connection_and_nothing_else() {
    let stage = Stage::start().await;
    let mut client = stage.joined(&stage.client).await;
    let mut reader = stage.joined(&stage.reader).await;
    stage.app.sign_out(&stage.client).await;
    assert_eq!(client.next("auth_error").await["code"], "AUTHENTICATION_REQUIRED");
    assert_eq!(reader.next("user_left").await["user_id"], json!(stage.client.id));
    client.closed().await;
    reader.done("send_message", stage.saying("1", "gone?")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_ends_ends_the_connection_unless_it_is_renewed() {
    let (clock, hands) = Clock::manual(Utc::now());
    let stage = Stage::of(App::of(&services()).clock(clock)).await;
    let mut ending = stage.connect(&stage.client).await;
    let mut renewed = stage.connect(&stage.client).await;
    let stranger = json!({ "token": "nothing" });
    assert_eq!(
        renewed.refused("reauthenticate", stranger).await,
        "AUTHENTICATION_REQUIRED"
    );
    let same = ending
        .done("reauthenticate", json!({ "token": stage.client.token }))
        .await;
    // Times in tokens are whole seconds.
    hands.advance(TimeDelta::seconds(1));
    let person = &stage.client;
    let answer = stage
        .app
        .sign_in(&person.email, &person.password, person.address)
        .await;
    let token = answer.expect(200).data()["access_token"].clone();
    let later = renewed.done("reauthenticate", json!({ "token": token })).await;
    assert_ne!(later["expires_at"], same["expires_at"]);
    hands.set(same["expires_at"].as_str().unwrap().parse().unwrap());
    assert_eq!(ending.next("auth_error").await["code"], "AUTHENTICATION_REQUIRED");
    ending.closed().await;
    renewed
        .done("join_chat", json!({ "session_id": stage.session }))
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_stays_one_persons() {
    let stage = Stage::start().await;
    let mut client = stage.connect(&stage.client).await;
    let other = json!({ "token": stage.reader.token });
    assert_eq!(
        client.refused("reauthenticate", other).await,
        "INSUFFICIENT_PERMISSIONS"
    );
}
