//! Logout, password change and role removal are felt at two gateways in processes of their own.

use std::time::{Duration, Instant};

use parlour_testkit::{Client, eventually, free_address};
use serde_json::json;

use crate::people::{PASSWORD, sign_in};
use crate::platform::Platform;

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
    platform.make("owner", &["owner"]);
    let made = platform.make("admin", &["admin"]);

    let admin = sign_in(&one, "admin").await;
    for gateway in [&one, &two] {
        gateway.get("/api/admin/users").bearer(&admin).await.expect(200);
    }
    one.post("/api/auth/logout").bearer(&admin).await.expect(200);
    felt("logout", [&one, &two], &admin, "/api/profile").await;

    let (stays, ends) = (sign_in(&one, "admin").await, sign_in(&two, "admin").await);
    let body = json!({ "current_password": PASSWORD, "new_password": "another good secret" });
    one.post("/api/auth/password/change")
        .bearer(&stays)
        .json(body)
        .await
        .expect(200);
    felt("password change", [&one, &two], &ends, "/api/profile").await;
    two.get("/api/profile").bearer(&stays).await.expect(200);

    let owner = sign_in(&one, "owner").await;
    two.get("/api/admin/users").bearer(&stays).await.expect(200);
    let path = format!("/api/admin/users/{}/roles", made["id"].as_str().unwrap());
    one.put(&path)
        .bearer(&owner)
        .json(json!({ "roles": ["client"] }))
        .await
        .expect(200);
    felt("role removal", [&one, &two], &stays, "/api/admin/users").await;
}
