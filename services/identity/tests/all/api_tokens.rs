//! `/api/auth/tokens`

use chrono::{DateTime, Duration, Utc};
use parlour_testkit::App;
use serde_json::json;

use crate::identity;
use crate::support::by_the_clock;

#[tokio::test(flavor = "multi_thread")]
async fn a_token_acts_within_its_scopes_until_it_is_revoked() {
    let app = App::start(&identity()).await;
    let person = app.person("client").await;
    let me = app.by(&person);
    let create = |scopes: serde_json::Value| {
        me.post("/api/auth/tokens")
            .json(json!({ "name": "reports", "scopes": scopes }))
    };
    for wrong in [
        json!([]),
        json!(["identity"]),
        json!(["identity:own"]),
        json!("identity:read"),
    ] {
        create(wrong).await.expect_error(400, "VALIDATION_ERROR");
    }
    let data = create(json!(["identity:read"])).await.expect(201).data();
    let token = data["token"].as_str().unwrap();
    assert!(token.starts_with("plr_") && token.starts_with(data["prefix"].as_str().unwrap()));
    let integration = app.client().signed_in(token);
    integration.get("/api/profile").await.expect(200);
    integration
        .put("/api/profile")
        .json(json!({ "bio": "x" }))
        .await
        .expect(403);
    integration
        .post("/api/auth/tokens")
        .json(json!({ "name": "y", "scopes": ["a:read"] }))
        .await
        .expect(403);
    let list = me.get("/api/auth/tokens").await.expect(200).data()["tokens"].clone();
    assert!(list[0]["last_used_at"].is_string());
    assert!(list[0].get("token").is_none());
    let path = format!("/api/auth/tokens/{}", data["id"].as_str().unwrap());
    let stranger = app.person("client").await;
    app.by(&stranger)
        .delete(&path)
        .await
        .expect_error(404, "RESOURCE_NOT_FOUND");
    me.delete(&path).await.expect(200);
    me.delete(&path).await.expect(404);
    integration
        .get("/api/profile")
        .await
        .expect_error(401, "AUTHENTICATION_REQUIRED");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_expired_token_is_dead() {
    let (builder, clock, hands) = by_the_clock();
    let app = builder.start().await;
    let person = app.person("client").await;
    let me = app.by(&person);
    let create = |end: DateTime<Utc>| {
        let body = json!({ "name": "x", "scopes": ["identity:read"], "expires_at": end.to_rfc3339() });
        me.post("/api/auth/tokens").json(body)
    };
    let now = clock.now();
    let refused = create(now).await;
    refused.expect_error(400, "VALIDATION_ERROR");
    assert!(refused.text().contains("expires_at"), "{refused}");
    let data = create(now + Duration::hours(1)).await.expect(201).data();
    let token = data["token"].as_str().unwrap();
    hands.advance(Duration::hours(1) - Duration::seconds(1));
    app.get("/api/profile").bearer(token).await.expect(200);
    hands.advance(Duration::seconds(1));
    app.get("/api/profile")
        .bearer(token)
        .await
        .expect_error(401, "AUTHENTICATION_REQUIRED");
}
