//! `POST /api/auth/login`

use std::net::Ipv4Addr;

use chrono::Duration;
use parlour_contracts::identity::v1::SecurityAlert;
use parlour_testkit::App;
use serde_json::json;

use crate::identity;
use crate::support::by_the_clock;

const PATH: &str = "/api/auth/login";

#[tokio::test(flavor = "multi_thread")]
async fn an_address_or_a_username_and_the_password_sign_in() {
    let app = App::start(&identity()).await;
    let body = json!({ "email": "a@example.org", "username": "ana", "password": "correct horse battery" });
    app.post("/api/auth/register").json(body).await.expect(201);
    for name in [
        json!({"email": "A@Example.org"}),
        json!({"username": "Ana"}),
        json!({"email": "ana"}),
    ] {
        let mut body = name;
        body["password"] = json!("correct horse battery");
        let data = app.post(PATH).json(body).await.expect(200).data();
        assert_eq!(data["token_type"], "Bearer");
        assert_eq!(data["expires_in"], 900);
        assert_eq!(data["user"]["username"], "ana");
        let token = data["access_token"].as_str().unwrap();
        app.get("/api/profile").bearer(token).await.expect(200);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_password_and_an_unknown_account_are_told_the_same() {
    let app = App::start(&identity()).await;
    let person = app.person("client").await;
    let wrong = app
        .sign_in(&person.email, "not the password", person.address)
        .await;
    let unknown = app
        .sign_in("nobody@example.org", "not the password", person.address)
        .await;
    for answer in [&wrong, &unknown] {
        answer.expect_error(401, "INVALID_CREDENTIALS");
    }
    assert_eq!(wrong.json()["error"], unknown.json()["error"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_failures_lock_that_address_out_for_a_quarter_of_an_hour_and_no_other() {
    let (builder, _, hands) = by_the_clock();
    let app = builder.start().await;
    let person = app.person("client").await;
    let attacker = Ipv4Addr::new(192, 0, 2, 7);
    for _ in 0..10 {
        app.sign_in(&person.email, "wrong", attacker).await.expect(401);
    }
    let locked = app.sign_in(&person.email, &person.password, attacker).await;
    locked.expect_error(429, "RATE_LIMIT_EXCEEDED");
    assert_eq!(locked.header("retry-after"), Some("900"));
    app.sign_in(&person.email, &person.password, person.address)
        .await
        .expect(200);
    let alerts: Vec<SecurityAlert> = app.published("identity").await;
    assert_eq!(alerts.len(), 1);
    assert_eq!(
        (alerts[0].kind.as_str(), alerts[0].address.as_str()),
        ("account_locked", "192.0.2.7")
    );
    hands.advance(Duration::minutes(15) - Duration::seconds(1));
    let locked = app.sign_in(&person.email, &person.password, attacker).await;
    locked.expect_error(429, "RATE_LIMIT_EXCEEDED");
    assert_eq!(locked.header("retry-after"), Some("1"));
    hands.advance(Duration::seconds(1));
    app.sign_in(&person.email, &person.password, attacker)
        .await
        .expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn failures_count_together_within_a_quarter_of_an_hour() {
    let (builder, _, hands) = by_the_clock();
    let app = builder.start().await;
    let person = app.person("client").await;
    let attacker = Ipv4Addr::new(192, 0, 2, 7);
    for _ in 0..9 {
        app.sign_in(&person.email, "wrong", attacker).await.expect(401);
    }
    hands.advance(Duration::minutes(15) + Duration::seconds(1));
    for _ in 0..10 {
        app.sign_in(&person.email, "wrong", attacker).await.expect(401);
    }
    app.sign_in(&person.email, "wrong", attacker)
        .await
        .expect_error(429, "RATE_LIMIT_EXCEEDED");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_attack_from_many_addresses_warns_the_owner_and_locks_nobody_out() {
    let app = App::start(&identity()).await;
    let person = app.person("client").await;
    for n in 0..20 {
        app.sign_in(&person.email, "wrong", Ipv4Addr::new(198, 51, 100, n))
            .await
            .expect(401);
    }
    let alerts: Vec<SecurityAlert> = app.published("identity").await;
    assert_eq!(
        alerts
            .iter()
            .filter(|alert| alert.kind == "sign_in_attack")
            .count(),
        1
    );
    app.sign_in(&person.email, &person.password, person.address)
        .await
        .expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_class_auth_counts_per_address_over_replicas() {
    let limit = json!({ "requests": 10, "seconds": 60, "burst": 10 });
    let app = App::of(&identity())
        .replicas(2)
        .set("limits.auth", limit)
        .start()
        .await;
    let body = json!({ "email": "a@example.org", "password": "whatever it is" });
    let here = Ipv4Addr::new(192, 0, 2, 1);
    for n in 0..10 {
        let answer = app.replica(n % 2).from(here).post(PATH).json(&body).await;
        answer.expect(401);
        assert_eq!(answer.header("ratelimit-policy"), Some("\"auth\";q=10;w=60"));
    }
    let refused = app.replica(0).from(here).post(PATH).json(&body).await;
    refused.expect_error(429, "RATE_LIMIT_EXCEEDED");
    assert!(refused.header("retry-after").unwrap().parse::<u64>().unwrap() <= 6);
    app.replica(1)
        .from(Ipv4Addr::new(192, 0, 2, 2))
        .post(PATH)
        .json(&body)
        .await
        .expect(401);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dead_token_does_not_stand_in_the_way_of_signing_in() {
    let app = App::start(&identity()).await;
    let person = app.person("client").await;
    let body = json!({ "email": person.email, "password": person.password });
    app.post(PATH).bearer("rubbish").json(body).await.expect(200);
    app.get("/api/meta/zodiacs")
        .bearer("rubbish")
        .await
        .expect_error(401, "AUTHENTICATION_REQUIRED");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_must_be_verified_where_that_is_configured() {
    let app = App::of(&identity())
        .set("identity.require_verified_email", true)
        .start()
        .await;
    let body = json!({ "email": "a@example.org", "password": "correct horse battery" });
    app.post("/api/auth/register").json(&body).await.expect(201);
    app.post(PATH)
        .json(&body)
        .await
        .expect_error(403, "INSUFFICIENT_PERMISSIONS");
    let token = crate::support::mailed_token(&app, "verify_email").await;
    app.post("/api/auth/email/verify")
        .json(json!({ "token": token }))
        .await
        .expect(200);
    app.post(PATH).json(&body).await.expect(200);
}
