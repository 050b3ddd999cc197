//! Logout, password change and role removal are felt at two gateways in processes of their own.

use std::time::{Duration, Instant};

use parlour_testkit::{Client, eventually};
use serde_json::{Value, json};

use crate::platform::{Platform, free_address};

const PASSWORD: &str = "correct horse battery";

async fn sign_in(gateway: &Client, email: &str) -> Value {
    let body = json!({ "email": email, "password": PASSWORD });
    gateway
        .post("/api/auth/login")
        .json(body)
        .await
        .expect(200)
        .data()
}

/// How long until both gateways refuse the token. Printed, not asserted: the promise is one second.
async fn felt(what: &str, gateways: [&Client; 2], token: &str, path: &str) {
    let started = Instant::now();
    let mut times = [Duration::ZERO; 2];
    for (gateway, time) in gateways.iter().zip(&mut times) {
        eventually(async || gateway.get(path).bearer(token).await.status() == 401).await;
        *time = started.elapsed();
    }
    println!("{what} felt at the two gateways after {times:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_ends_a_token_is_felt_at_both_gateways() {
    let platform = Platform::new().await;
    let address = free_address();
    let _identity = platform.identity(address).await;
    let first = platform.gateway(&[address]).await;
    let second = platform.gateway(&[address]).await;
    let (one, two) = (first.client(), second.client());
    for (email, role) in [("o@example.org", "owner"), ("a@example.org", "admin")] {
        let create = [
            "admin",
            "user",
            "create",
            "--email",
            email,
            "--password",
            PASSWORD,
            "--role",
            role,
        ];
        platform.operator(&create);
    }
    let token = |data: &Value| data["access_token"].as_str().unwrap().to_owned();

    let admin = sign_in(&one, "a@example.org").await;
    for gateway in [&one, &two] {
        gateway
            .get("/api/admin/users")
            .bearer(&token(&admin))
            .await
            .expect(200);
    }
    one.post("/api/auth/logout")
        .bearer(&token(&admin))
        .await
        .expect(200);
    felt("logout", [&one, &two], &token(&admin), "/api/profile").await;

    let (stays, ends) = (
        sign_in(&one, "a@example.org").await,
        sign_in(&two, "a@example.org").await,
    );
    let body = json!({ "current_password": PASSWORD, "new_password": "another good secret" });
    one.post("/api/auth/password/change")
        .bearer(&token(&stays))
        .json(body)
        .await
        .expect(200);
    felt("password change", [&one, &two], &token(&ends), "/api/profile").await;
    two.get("/api/profile").bearer(&token(&stays)).await.expect(200);

    let owner = sign_in(&one, "o@example.org").await;
    two.get("/api/admin/users")
        .bearer(&token(&stays))
        .await
        .expect(200);
    let path = format!("/api/admin/users/{}/roles", admin["user"]["id"].as_str().unwrap());
    one.put(&path)
        .bearer(&token(&owner))
        .json(json!({ "roles": ["client"] }))
        .await
        .expect(200);
    felt("role removal", [&one, &two], &token(&stays), "/api/admin/users").await;
}
