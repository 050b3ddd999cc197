use parlour_contracts::{Permission, Role};
use parlour_testkit::App;
use serde_json::json;

use crate::demo::goals;

#[tokio::test]
async fn people_sign_in_with_the_roles_they_were_given() {
    let app = App::start(&[parlour_identity::service(), goals::service()]).await;
    let client = app.person("user").await;
    let support = app
        .person_with(&[Role::Support, Role::Reader], &[Permission::KickUsers])
        .await;

    let set = app
        .by(&client)
        .post("/api/goals")
        .json(json!({ "title": "rest" }))
        .await;
    let id = set.expect(201).data()["id"].as_str().unwrap().to_owned();
    let path = format!("/api/goals/{id}");
    app.by(&client).get(&path).await.expect(200);
    app.by(&support)
        .get(&path)
        .await
        .expect_error(404, "RESOURCE_NOT_FOUND");
    app.by(&client)
        .delete(&path)
        .await
        .expect_error(403, "INSUFFICIENT_PERMISSIONS");
    app.by(&support).delete(&path).await.expect(200);

    let profile = app.by(&support).get("/api/profile").await.expect(200).data();
    assert_eq!(profile["id"], json!(support.id));
    assert_eq!(profile["roles"], json!(["support", "reader"]));
}

#[tokio::test]
async fn sessions_end_and_api_tokens_are_limited() {
    let app = App::start(&[parlour_identity::service(), goals::service()]).await;
    let person = app.person("client").await;
    let reads = app.api_token(&person, &["goals:read"]).await;
    let goal = json!({ "title": "walk" });
    app.post("/api/goals")
        .bearer(&reads)
        .json(&goal)
        .await
        .expect(403);
    app.sign_out(&person).await;
    app.by(&person)
        .post("/api/goals")
        .json(&goal)
        .await
        .expect_error(401, "AUTHENTICATION_REQUIRED");
    app.sign_in(&person.email, "wrong", person.address)
        .await
        .expect_error(401, "INVALID_CREDENTIALS");
}

#[tokio::test]
async fn a_browser_keeps_its_cookies() {
    let app = App::start(&[parlour_identity::service()]).await;
    let person = app.person("client").await;
    let browser = app.client().from(person.address).with_cookies();
    let credentials = json!({ "email": person.email, "password": person.password });
    browser.post("/login/").json(credentials).await.expect(200);
    assert!(browser.cookie("parlour_session").is_some());
    browser.get("/profile/").await.expect(200);
}
