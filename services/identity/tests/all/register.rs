//! `POST /api/auth/register`

use futures_util::future::join_all;
use parlour_contracts::identity::v1::{AccountRegistered, ContactChanged, EmailRequested};
use parlour_testkit::App;
use serde_json::json;

use crate::identity;
use crate::support::{accounts, contacts, mailed_token};

const PATH: &str = "/api/auth/register";
const PASSWORD: &str = "correct horse battery";

#[tokio::test(flavor = "multi_thread")]
async fn an_account_is_made_and_everybody_hears_of_it() {
    let app = App::start(&identity()).await;
    let body =
        json!({ "email": "Ana@Example.org", "password": PASSWORD, "first_name": "Ana", "locale": "ar" });
    let answer = app.post(PATH).json(body).await;
    let user = &answer.expect(201).data()["user"];
    assert_eq!(user["email"], "ana@example.org");
    assert_eq!(user["roles"], json!(["client"]));
    assert_eq!(user["status"], "active");
    assert_eq!(user["email_verified"], false);
    assert!(user["created_at"].as_str().unwrap().ends_with('Z'));
    let registered: Vec<AccountRegistered> = app.published("identity").await;
    assert_eq!(registered[0].account_id, user["id"].as_str().unwrap());
    let contact: Vec<ContactChanged> = app.published("identity").await;
    let place = format!("contact.email:{}", registered[0].account_id);
    assert_eq!(
        contacts(&app)
            .open_text(&place, &contact[0].email_sealed)
            .unwrap(),
        "ana@example.org"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_mailed_link_confirms_the_address_once() {
    let app = App::start(&identity()).await;
    app.post(PATH)
        .json(json!({ "email": "a@example.org", "password": PASSWORD }))
        .await
        .expect(201);
    let token = json!({ "token": mailed_token(&app, "verify_email").await });
    app.post("/api/auth/email/verify")
        .json(token.clone())
        .await
        .expect(200);
    app.post("/api/auth/email/verify")
        .json(token)
        .await
        .expect_error(400, "INVALID_TOKEN");
    let login = json!({ "email": "a@example.org", "password": PASSWORD });
    let user = app.post("/api/auth/login").json(login).await.expect(200).data()["user"].clone();
    assert_eq!(user["email_verified"], true);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_wrong_field_is_named_and_nothing_is_made() {
    let app = App::start(&identity()).await;
    let body =
        json!({ "email": "nobody", "username": "a b", "password": "short", "first_name": 7, "locale": "!" });
    let details = app
        .post(PATH)
        .json(body)
        .await
        .expect_error(400, "VALIDATION_ERROR")
        .json();
    let details = details["details"].to_string();
    for field in ["email", "password", "first_name", "locale"] {
        assert!(details.contains(&format!("\"{field}: ")), "{field} in {details}");
    }
    for body in [
        json!({ "password": PASSWORD }),
        json!({ "email": "a@example.org" }),
        json!({ "email": "a@example.org", "password": "password1" }),
        json!({ "email": "correct@example.org", "password": "my correct secret" }),
        json!({ "username": "ab\u{202e}cd", "password": PASSWORD }),
        json!({ "email": "a@example.org", "password": PASSWORD, "first_name": "a\u{202e}b" }),
        json!({ "email": "a@example.org", "password": PASSWORD, "first_name": "a\u{0}b" }),
        json!({ "email": "a@example.org", "password": PASSWORD, "first_name": "x".repeat(10_000) }),
        json!(["a"]),
        json!(null),
    ] {
        app.post(PATH)
            .json(body)
            .await
            .expect_error(400, "VALIDATION_ERROR");
    }
    assert_eq!(accounts(&app).await, 0);
    assert!(app.published::<EmailRequested>("identity").await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_registrations_of_one_address_make_one_account() {
    let app = App::start(&identity()).await;
    let tries = (0..100).map(|n| {
        let body = json!({ "email": "same@example.org", "password": format!("{PASSWORD} {n}") });
        let request = app.post(PATH).json(body);
        async move { request.await.status() }
    });
    let mut statuses = join_all(tries).await;
    statuses.sort_unstable();
    assert_eq!(statuses[0], 201);
    assert!(statuses[1..].iter().all(|status| *status == 409), "{statuses:?}");
    assert_eq!(accounts(&app).await, 1);
    assert_eq!(app.published::<AccountRegistered>("identity").await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn usernames_that_look_alike_are_one() {
    let app = App::start(&identity()).await;
    let body = |name: &str| json!({ "username": name, "password": PASSWORD });
    app.post(PATH).json(body("paypal")).await.expect(201);
    for name in ["PayPal", "pаypаl", "ｐａｙｐａｌ"] {
        app.post(PATH)
            .json(body(name))
            .await
            .expect_error(409, "CONFLICT");
    }
    app.post(PATH).json(body("نور_1")).await.expect(201);
    app.post(PATH)
        .json(body("'; DROP TABLE accounts; --"))
        .await
        .expect(400);
    assert_eq!(accounts(&app).await, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn with_hidden_accounts_a_taken_address_is_told_to_its_owner_alone() {
    let app = App::of(&identity())
        .set("identity.hide_accounts", true)
        .start()
        .await;
    let body = json!({ "email": "a@example.org", "password": PASSWORD, "first_name": "A" });
    let first = app.post(PATH).json(body.clone()).await.expect(201).data();
    let second = app.post(PATH).json(body).await.expect(201).data();
    let keys = |value: &serde_json::Value| {
        value["user"]
            .as_object()
            .unwrap()
            .keys()
            .cloned()
            .collect::<Vec<_>>()
    };
    assert_eq!(keys(&first), keys(&second));
    assert_ne!(first["user"]["id"], second["user"]["id"]);
    assert_eq!(accounts(&app).await, 1);
    let mails: Vec<EmailRequested> = app.published("identity").await;
    assert_eq!(mails.last().unwrap().template, "account_exists");
}

#[tokio::test(flavor = "multi_thread")]
async fn under_one_key_a_registration_happens_once_on_both_replicas() {
    let app = App::of(&identity()).replicas(2).start().await;
    let body = json!({ "email": "a@example.org", "password": PASSWORD });
    let send = |replica: usize, body: &serde_json::Value| {
        app.replica(replica).post(PATH).json(body).idempotency_key("k-1")
    };
    let first = send(0, &body).await;
    let again = send(1, &body).await;
    assert_eq!(first.expect(201).data(), again.expect(201).data());
    assert_eq!(again.header("idempotency-replayed"), Some("true"));
    let other = json!({ "email": "b@example.org", "password": PASSWORD });
    send(1, &other).await.expect_error(409, "IDEMPOTENCY_KEY_REUSED");
    // A refusal that is final is remembered too; one that a better body mends is not.
    let taken = |key: &str| app.post(PATH).json(&body).idempotency_key(key);
    taken("k-2").await.expect_error(409, "CONFLICT");
    assert_eq!(
        taken("k-2").await.expect(409).header("idempotency-replayed"),
        Some("true")
    );
    let bad = app
        .post(PATH)
        .json(json!({ "password": "x" }))
        .idempotency_key("k-3");
    bad.await.expect(400);
    app.post(PATH)
        .json(other)
        .idempotency_key("k-3")
        .await
        .expect(201);
}
