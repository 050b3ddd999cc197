//! Access tokens that are not what they seem.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::Duration;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use parlour_testkit::App;
use serde_json::{Value, json};

use crate::identity;
use crate::support::by_the_clock;

fn part(value: &Value) -> String {
    URL_SAFE_NO_PAD.encode(value.to_string())
}

fn read(part: &str) -> Value {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn forged_damaged_and_foreign_tokens_are_refused_alike() {
    let app = App::start(&identity()).await;
    let person = app.person("client").await;
    let parts: Vec<&str> = person.token.split('.').collect();
    let (header, claims) = (read(parts[0]), read(parts[1]));
    let jwks = app.get("/.well-known/jwks.json").await.expect(200).json();
    let public = URL_SAFE_NO_PAD
        .decode(jwks["keys"][0]["x"].as_str().unwrap())
        .unwrap();
    let mut hs256 = Header::new(Algorithm::HS256);
    hs256.kid = header["kid"].as_str().map(ToOwned::to_owned);
    let with_public_key = EncodingKey::from_secret(&public);
    let mut raised = claims.clone();
    raised["roles"] = json!(["owner"]);
    let bad = [
        String::new(),
        "x".to_owned(),
        "a.b.c".to_owned(),
        person.token[..person.token.len() - 10].to_owned(),
        format!("{}.{}.{}", parts[0], part(&raised), parts[2]),
        format!(
            "{}.{}.",
            part(&json!({ "alg": "none", "kid": header["kid"] })),
            parts[1]
        ),
        format!(
            "{}.{}.{}",
            part(&json!({ "alg": "EdDSA", "kid": "unknown" })),
            parts[1],
            parts[2]
        ),
        jsonwebtoken::encode(&hs256, &claims, &with_public_key).unwrap(),
        format!("{}.{}.{}", parts[0], "A".repeat(10_000), parts[2]),
        "x".repeat(10_000),
        "plr_nothing".to_owned(),
    ];
    for token in &bad {
        let answer = app.get("/api/profile").bearer(token).await;
        answer.expect_error(401, "AUTHENTICATION_REQUIRED");
    }
    for header in ["Basic YTpi", "Bearer", &format!("Token {}", person.token)] {
        let answer = app.get("/api/profile").header("authorization", header).await;
        answer.expect_error(401, "AUTHENTICATION_REQUIRED");
    }
    app.by(&person).get("/api/profile").await.expect(200);
}

/// Signs `claims` with the service's own key, as nobody outside could.
async fn signed(app: &App, claims: &Value) -> String {
    let layers = app.layers();
    let context = parlour_chassis::Context::offline(parlour_identity::NAME, layers.clone()).unwrap();
    let state = parlour_identity::state::Identity::open(&context).await.unwrap();
    let claims = serde_json::from_value(claims.clone()).unwrap();
    state.keys.sign(&claims).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_token_says_is_checked_too() {
    let app = App::start(&identity()).await;
    let person = app.person("client").await;
    let claims = read(person.token.split('.').nth(1).unwrap());
    let change = |key: &str, value: Value| {
        let mut changed = claims.clone();
        changed[key] = value;
        changed
    };
    let now = chrono::Utc::now().timestamp();
    app.get("/api/profile")
        .bearer(&signed(&app, &claims).await)
        .await
        .expect(200);
    for wrong in [
        change("exp", json!(now - 1)),
        change("iss", json!("somebody")),
        change("aud", json!("others")),
        change("sid", json!(uuid::Uuid::now_v7())),
        change("sub", json!(uuid::Uuid::now_v7())),
    ] {
        let token = signed(&app, &wrong).await;
        app.get("/api/profile")
            .bearer(&token)
            .await
            .expect_error(401, "AUTHENTICATION_REQUIRED");
    }
}

/// The ids of the keys that are published, the newest first.
async fn published(app: &App) -> Vec<Value> {
    app.run_job("identity", "refresh_signing_keys").await;
    let jwks = app.get("/.well-known/jwks.json").await.expect(200).json();
    let keys = jwks["keys"].as_array().unwrap();
    keys.iter().map(|key| key["kid"].clone()).collect()
}

fn kid(token: &str) -> Value {
    read(token.split('.').next().unwrap())["kid"].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_key_is_published_before_it_signs_and_the_old_one_verifies_until_its_tokens_are_dead() {
    let (builder, _, hands) = by_the_clock();
    let mut app = builder.start().await;
    let person = app.person("client").await;
    let sign_in = async |app: &App| {
        let answer = app.sign_in(&person.email, &person.password, person.address);
        let token = answer.await.expect(200).data()["access_token"].clone();
        token.as_str().unwrap().to_owned()
    };
    let old = kid(&person.token);
    hands.advance(Duration::days(30));
    assert_eq!(published(&app).await, std::slice::from_ref(&old));
    hands.advance(Duration::seconds(1));
    let keys = published(&app).await;
    let new = keys[0].clone();
    assert_eq!(keys, [new.clone(), old.clone()]);
    assert_ne!(new, old);
    // Every cache has two minutes to fetch it.
    hands.advance(Duration::minutes(2) - Duration::seconds(1));
    let last = sign_in(&app).await;
    assert_eq!(kid(&last), old);
    hands.advance(Duration::seconds(1));
    assert_eq!(kid(&sign_in(&app).await), new);
    // A token lives for a quarter of an hour, and a minute is for clocks that differ.
    hands.advance(Duration::minutes(16) - Duration::seconds(1));
    assert_eq!(published(&app).await.len(), 2);
    app.stop(0);
    app.restart().await;
    app.get("/api/profile").bearer(&last).await.expect(200);
    hands.advance(Duration::seconds(1));
    assert_eq!(published(&app).await, [new]);
    app.stop(0);
    app.restart().await;
    app.get("/api/profile")
        .bearer(&last)
        .await
        .expect_error(401, "AUTHENTICATION_REQUIRED");
}
