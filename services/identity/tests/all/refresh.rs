//! `POST /api/auth/refresh`

use chrono::Duration;
use futures_util::future::join_all;
use parlour_contracts::identity::v1::SecurityAlert;
use parlour_testkit::App;
use serde_json::json;

use crate::identity;
use crate::support::by_the_clock;

async fn refresh(app: &App, token: &str) -> parlour_testkit::Answer {
    app.post("/api/auth/refresh")
        .json(json!({ "refresh_token": token }))
        .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_is_rotated_and_the_successor_goes_on() {
    let app = App::start(&identity()).await;
    let person = app.person("client").await;
    let first = refresh(&app, &person.refresh_token).await.expect(200).data();
    let second = refresh(&app, first["refresh_token"].as_str().unwrap())
        .await
        .expect(200)
        .data();
    assert_ne!(first["refresh_token"], second["refresh_token"]);
    app.get("/api/profile")
        .bearer(second["access_token"].as_str().unwrap())
        .await
        .expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_at_the_same_instant_get_the_same_successor() {
    let app = App::of(&identity()).replicas(2).start().await;
    let person = app.person("client").await;
    let tries = (0..8).map(|n| {
        let body = json!({ "refresh_token": person.refresh_token });
        app.replica(n % 2).post("/api/auth/refresh").json(body)
    });
    let answers = join_all(tries.map(|request| async move { request.await })).await;
    let successors: Vec<_> = answers
        .iter()
        .map(|a| a.expect(200).data()["refresh_token"].clone())
        .collect();
    assert!(
        successors.iter().all(|token| *token == successors[0]),
        "{successors:?}"
    );
    refresh(&app, successors[0].as_str().unwrap()).await.expect(200);
    assert!(app.published::<SecurityAlert>("identity").await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_used_token_answers_again_for_ten_seconds_and_then_ends_the_whole_sign_in() {
    let (builder, _, hands) = by_the_clock();
    let app = builder.start().await;
    let person = app.person("client").await;
    let next = refresh(&app, &person.refresh_token).await.expect(200).data();
    hands.advance(Duration::seconds(10));
    let again = refresh(&app, &person.refresh_token).await.expect(200).data();
    assert_eq!(again["refresh_token"], next["refresh_token"]);
    hands.advance(Duration::seconds(1));
    refresh(&app, &person.refresh_token)
        .await
        .expect_error(401, "AUTHENTICATION_REQUIRED");
    refresh(&app, next["refresh_token"].as_str().unwrap())
        .await
        .expect(401);
    app.get("/api/profile")
        .bearer(next["access_token"].as_str().unwrap())
        .await
        .expect(401);
    let alerts: Vec<SecurityAlert> = app.published("identity").await;
    assert_eq!(
        alerts.iter().map(|a| a.kind.as_str()).collect::<Vec<_>>(),
        ["refresh_reused"]
    );
    // Another sign-in of the same person is not touched.
    app.sign_in(&person.email, &person.password, person.address)
        .await
        .expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn rubbish_is_refused() {
    let app = App::start(&identity()).await;
    refresh(&app, "plf_nothing")
        .await
        .expect_error(401, "AUTHENTICATION_REQUIRED");
    refresh(&app, "").await.expect_error(400, "VALIDATION_ERROR");
    refresh(&app, &"x".repeat(10_000))
        .await
        .expect_error(400, "VALIDATION_ERROR");
}
