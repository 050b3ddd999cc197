//! `/api/auth/sessions`, `/api/auth/logout`

use chrono::Duration;
use parlour_testkit::App;
use serde_json::json;

use crate::identity;
use crate::support::by_the_clock;

#[tokio::test(flavor = "multi_thread")]
async fn my_sessions_are_listed_and_each_can_be_ended() {
    let app = App::start(&identity()).await;
    let person = app.person("client").await;
    let other = app
        .sign_in(&person.email, &person.password, person.address)
        .await
        .expect(200)
        .data();
    let me = app.by(&person);
    let list = me.get("/api/auth/sessions").await.expect(200).data()["sessions"].clone();
    let list = list.as_array().unwrap();
    assert_eq!(list.len(), 2);
    assert_eq!(list[0]["ip"], person.address.to_string());
    let current: Vec<bool> = list.iter().map(|s| s["current"].as_bool().unwrap()).collect();
    assert_eq!(current, [false, true]);
    let path = format!("/api/auth/sessions/{}", list[0]["id"].as_str().unwrap());
    me.delete(&path).await.expect(200);
    me.delete(&path).await.expect_error(404, "RESOURCE_NOT_FOUND");
    app.get("/api/profile")
        .bearer(other["access_token"].as_str().unwrap())
        .await
        .expect(401);
    me.get("/api/profile").await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stranger_cannot_end_my_session() {
    let app = App::start(&identity()).await;
    let (mine, stranger) = (app.person("client").await, app.person("owner").await);
    let list = app.by(&mine).get("/api/auth/sessions").await.data()["sessions"].clone();
    let path = format!("/api/auth/sessions/{}", list[0]["id"].as_str().unwrap());
    app.by(&stranger)
        .delete(&path)
        .await
        .expect_error(404, "RESOURCE_NOT_FOUND");
    app.by(&mine).get("/api/profile").await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn after_logout_neither_token_works() {
    let app = App::start(&identity()).await;
    let person = app.person("client").await;
    app.sign_out(&person).await;
    app.by(&person)
        .get("/api/profile")
        .await
        .expect_error(401, "AUTHENTICATION_REQUIRED");
    let body = json!({ "refresh_token": person.refresh_token });
    app.post("/api/auth/refresh").json(body).await.expect(401);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sign_in_lasts_for_thirty_days_from_its_last_use() {
    let (builder, _, hands) = by_the_clock();
    let app = builder.start().await;
    let person = app.person("client").await;
    let refresh = |token: &str| {
        app.post("/api/auth/refresh")
            .json(json!({ "refresh_token": token }))
    };
    let almost = Duration::days(30) - Duration::seconds(1);
    hands.advance(almost);
    let used = refresh(&person.refresh_token).await.expect(200).data();
    hands.advance(almost);
    let (access, next) = (&used["access_token"], &used["refresh_token"]);
    let list = app.get("/api/auth/sessions").bearer(access.as_str().unwrap());
    assert_eq!(
        list.await.expect(200).data()["sessions"]
            .as_array()
            .unwrap()
            .len(),
        1
    );
    hands.advance(Duration::seconds(1));
    refresh(next.as_str().unwrap())
        .await
        .expect_error(401, "AUTHENTICATION_REQUIRED");
    let list = app.get("/api/auth/sessions").bearer(access.as_str().unwrap());
    list.await.expect_error(401, "AUTHENTICATION_REQUIRED");
    let again = app
        .sign_in(&person.email, &person.password, person.address)
        .await
        .expect(200)
        .data();
    let list = app
        .get("/api/auth/sessions")
        .bearer(again["access_token"].as_str().unwrap());
    let sessions = list.await.expect(200).data()["sessions"].clone();
    assert_eq!(
        (sessions.as_array().unwrap().len(), &sessions[0]["current"]),
        (1, &json!(true))
    );
}
