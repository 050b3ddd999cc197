//! `/api/auth/password/…`

use chrono::Duration;
use parlour_testkit::{App, Person, eventually};
use serde_json::json;

use crate::identity;
use crate::support::{by_the_clock, mailed_token};
use parlour_contracts::identity::v1::EmailRequested;

#[tokio::test(flavor = "multi_thread")]
async fn a_change_ends_the_other_sessions_and_keeps_this_one() {
    let app = App::start(&identity()).await;
    let person = app.person("client").await;
    let other = app
        .sign_in(&person.email, &person.password, person.address)
        .await
        .expect(200)
        .data();
    let me = app.by(&person);
    let change = |current: &str, new: &str| {
        me.post("/api/auth/password/change")
            .json(json!({ "current_password": current, "new_password": new }))
    };
    change("wrong", "another good secret")
        .await
        .expect_error(401, "INVALID_CREDENTIALS");
    change(&person.password, "short")
        .await
        .expect_error(400, "VALIDATION_ERROR");
    change(&person.password, &person.password)
        .await
        .expect_error(400, "VALIDATION_ERROR");
    change(&person.password, &format!("x{}", person.email))
        .await
        .expect_error(400, "VALIDATION_ERROR");
    change(&person.password, "another good secret").await.expect(200);
    me.get("/api/profile").await.expect(200);
    app.get("/api/profile")
        .bearer(other["access_token"].as_str().unwrap())
        .await
        .expect(401);
    app.sign_in(&person.email, &person.password, person.address)
        .await
        .expect(401);
    app.sign_in(&person.email, "another good secret", person.address)
        .await
        .expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_forgotten_password_is_set_with_a_mailed_link_once() {
    let app = App::start(&identity()).await;
    let person = app.person("client").await;
    let forgot = |email: &str| {
        app.post("/api/auth/password/forgot")
            .json(json!({ "email": email }))
    };
    let known = forgot(&person.email).await;
    let unknown = forgot("nobody@example.org").await;
    assert_eq!(known.expect(200).json(), unknown.expect(200).json());
    eventually(async || {
        let mails: Vec<EmailRequested> = app.published("identity").await;
        mails.iter().any(|mail| mail.template == "reset_password")
    })
    .await;
    let token = mailed_token(&app, "reset_password").await;
    let reset = |token: &str, password: &str| {
        app.post("/api/auth/password/reset")
            .json(json!({ "token": token, "password": password }))
    };
    reset(&token, "short").await.expect_error(400, "VALIDATION_ERROR");
    reset("plw_nothing", "another good secret")
        .await
        .expect_error(400, "INVALID_TOKEN");
    reset(&token, "another good secret").await.expect(200);
    reset(&token, "a third good secret")
        .await
        .expect_error(400, "INVALID_TOKEN");
    app.by(&person).get("/api/profile").await.expect(401);
    app.sign_in(&person.email, "another good secret", person.address)
        .await
        .expect(200);
    let mails: Vec<EmailRequested> = app.published("identity").await;
    assert_eq!(
        mails
            .iter()
            .filter(|mail| mail.template == "reset_password")
            .count(),
        1
    );
}

/// Asks for a link and answers its token; it is the `nth` that is mailed.
async fn link(app: &App, person: &Person, nth: usize) -> String {
    let body = json!({ "email": person.email });
    app.post("/api/auth/password/forgot").json(body).await.expect(200);
    eventually(async || {
        let mails: Vec<EmailRequested> = app.published("identity").await;
        let links = mails.iter().filter(|mail| mail.template == "reset_password");
        links.count() == nth
    })
    .await;
    mailed_token(app, "reset_password").await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mailed_link_works_for_an_hour() {
    let (builder, clock, hands) = by_the_clock();
    let app = builder.start().await;
    let person = app.person("client").await;
    let reset = |token: String| {
        app.post("/api/auth/password/reset")
            .json(json!({ "token": token, "password": "another good secret" }))
    };
    let first = link(&app, &person, 1).await;
    hands.advance(Duration::minutes(59) + Duration::seconds(59));
    reset(first).await.expect(200);
    let second = link(&app, &person, 2).await;
    let mails: Vec<EmailRequested> = app.published("identity").await;
    let end = (clock.now() + Duration::hours(1)).timestamp_millis();
    assert_eq!(mails.last().unwrap().expires_ms, end);
    hands.advance(Duration::hours(1));
    reset(second).await.expect_error(400, "INVALID_TOKEN");
}
