//! Signing up and in, in one process and apart.

use parlour_testkit::{Client, free_address};
use serde_json::json;

use crate::people::{self, PASSWORD, account};
use crate::platform::Platform;

/// Registers, signs in, reads and changes the profile, and signs out.
async fn journey(gateway: &Client, name: &str) {
    let registered = gateway.post("/api/auth/register").json(account(name)).await;
    assert_eq!(registered.expect(201).data()["user"]["roles"], json!(["client"]));
    let me = gateway.signed_in(&people::sign_in(gateway, name).await);
    let profile =
        json!({ "first_name": "Ana", "last_name": "Lund", "birth_date": "1990-05-01", "country": "SE" });
    me.post("/api/profile/complete").json(profile).await.expect(200);
    let answer = me.get("/api/profile").header("x-request-id", "journey-1").await;
    assert_eq!(answer.expect(200).data()["zodiac"], "taurus");
    assert_eq!(answer.header("x-request-id"), Some("journey-1"));
    assert!(answer.header("ratelimit").is_some());
    me.get("/profile/").await.expect(200);
    gateway
        .get("/api/profile")
        .await
        .expect_error(401, "AUTHENTICATION_REQUIRED");
    gateway
        .get("/api/profile")
        .bearer("rubbish")
        .await
        .expect_error(401, "AUTHENTICATION_REQUIRED");
    gateway
        .get("/api/nothing")
        .await
        .expect_error(404, "RESOURCE_NOT_FOUND");
    gateway.get("/internal/revocations").await.expect(404);
    gateway.get("/-/ready").await.expect(404);
    assert_eq!(
        gateway.delete("/api/profile").await.expect(405).header("allow"),
        Some("GET, HEAD, PUT")
    );
    // A gateway apart has read it from the service, or does so again within seconds.
    parlour_testkit::eventually(async || {
        let document = gateway.get("/openapi.json").await.expect(200).json();
        document["paths"]["/api/auth/login"]["post"].is_object()
    })
    .await;
    me.post("/api/auth/logout").await.expect(200);
    parlour_testkit::eventually(async || me.get("/api/profile").await.status() == 401).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn in_one_process() {
    let platform = Platform::new().await;
    let process = platform.everything().await;
    journey(&process.client(), "ana").await;
    process.terminate().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn apart() {
    let platform = Platform::new().await;
    let address = free_address();
    let identity = platform.identity(address).await;
    let gateway = platform.gateway(&[address]).await;
    journey(&gateway.client(), "ana").await;
    gateway.terminate().await;
    identity.terminate().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mailed_link_confirms_the_address() {
    let platform = Platform::new().await;
    let process = platform.everything().await;
    let gateway = process.client();
    people::sign_up(&gateway, "ana").await;
    let mail = parlour_testkit::eventually(async || platform.outbox("mail.jsonl").pop()).await;
    assert!(mail["to"].to_string().contains("ana@example.org"));
    let url = mail["data"]["url"].as_str().unwrap();
    assert!(mail["text"].as_str().unwrap().contains(url));
    let token = json!({ "token": mail["data"]["token"] });
    gateway
        .post("/api/auth/email/verify")
        .json(token)
        .await
        .expect(200);
    assert_eq!(platform.outbox("mail.jsonl").len(), 1, "one mail, once");
    process.terminate().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operator_makes_accounts() {
    let platform = Platform::new().await;
    let process = platform.everything().await;
    let user = platform.make("monitor", &["monitor", "support"]);
    assert_eq!(user["roles"], json!(["monitor", "support"]));
    let gateway = process.client();
    people::sign_in(&gateway, "monitor").await;
    let link = platform.operator(&["admin", "create-owner", "--email", "o@example.org"]);
    let token = link.trim().rsplit("token=").next().unwrap().to_owned();
    let body = json!({ "token": token, "password": PASSWORD });
    gateway
        .post("/api/auth/password/reset")
        .json(body)
        .await
        .expect(200);
    let signing_in = gateway.post("/api/auth/login").json(account("o"));
    let data = signing_in.await.expect(200).data();
    assert_eq!(data["user"]["roles"], json!(["owner"]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gateway_apart_asks_the_identity_beside_another_gateway() {
    let platform = Platform::new().await;
    let beside = free_address();
    let whole = platform.everything_and(beside).await;
    let gateway = platform.gateway(&[beside]).await;
    journey(&gateway.client(), "ana").await;
    whole.client().get("/internal/revocations").await.expect(404);
    gateway.terminate().await;
    whole.terminate().await;
}
