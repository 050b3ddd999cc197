//! `/api/auth/2fa/…`, `/api/auth/login/2fa`

use chrono::{DateTime, Duration, Utc};
use parlour_testkit::{App, Person};
use serde_json::{Value, json};
use totp_rs::{Builder, Secret, Totp};

use crate::identity;
use crate::support::by_the_clock;

/// An authenticator app.
fn authenticator(secret: &str) -> Totp {
    Builder::new()
        .with_secret(Secret::try_from_base32(secret).unwrap())
        .build()
        .unwrap()
}

fn code(totp: &Totp, steps: i64) -> String {
    code_at(totp, steps, Utc::now())
}

/// What it shows so many steps after `now`.
fn code_at(totp: &Totp, steps: i64, now: DateTime<Utc>) -> String {
    let at = now.timestamp() + 30 * steps;
    totp.generate(u64::try_from(at).unwrap()).to_string()
}

async fn enrolled(app: &App, person: &Person) -> (Totp, Vec<String>) {
    enrolled_at(app, person, Utc::now()).await
}

async fn enrolled_at(app: &App, person: &Person, now: DateTime<Utc>) -> (Totp, Vec<String>) {
    let me = app.by(person);
    let data = me.post("/api/auth/2fa/enroll").await.expect(200).data();
    assert!(
        data["otpauth_url"]
            .as_str()
            .unwrap()
            .starts_with("otpauth://totp/Parlour:")
    );
    let totp = authenticator(data["secret"].as_str().unwrap());
    let body = json!({ "code": code_at(&totp, -1, now) });
    let codes = me
        .post("/api/auth/2fa/activate")
        .json(body)
        .await
        .expect(200)
        .data();
    let codes = codes["recovery_codes"].as_array().unwrap().iter();
    (totp, codes.map(|c| c.as_str().unwrap().to_owned()).collect())
}

async fn challenge(app: &App, person: &Person) -> Value {
    let data = app
        .sign_in(&person.email, &person.password, person.address)
        .await
        .expect(200)
        .data();
    assert_eq!(data["two_factor_required"], true);
    assert!(data.get("access_token").is_none());
    data["challenge"].clone()
}

async fn finish(app: &App, challenge: &Value, proof: Value) -> parlour_testkit::Answer {
    let mut body = proof;
    body["challenge"] = challenge.clone();
    app.post("/api/auth/login/2fa").json(body).await
}

#[tokio::test(flavor = "multi_thread")]
async fn with_it_a_password_alone_is_a_challenge() {
    let app = App::start(&identity()).await;
    let person = app.person("client").await;
    let (totp, recovery) = enrolled(&app, &person).await;
    assert_eq!(recovery.len(), 10);
    let first = challenge(&app, &person).await;
    finish(&app, &first, json!({ "code": "000000" }))
        .await
        .expect_error(401, "INVALID_CREDENTIALS");
    let now = code(&totp, 0);
    let data = finish(&app, &first, json!({ "code": now }))
        .await
        .expect(200)
        .data();
    app.get("/api/profile")
        .bearer(data["access_token"].as_str().unwrap())
        .await
        .expect(200);
    finish(&app, &first, json!({ "code": code(&totp, 1) }))
        .await
        .expect_error(400, "INVALID_TOKEN");
    // A code works once, whichever challenge it answers.
    let second = challenge(&app, &person).await;
    finish(&app, &second, json!({ "code": now }))
        .await
        .expect_error(401, "INVALID_CREDENTIALS");
    finish(&app, &second, json!({ "code": code(&totp, 1) }))
        .await
        .expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_recovery_code_works_once() {
    let app = App::start(&identity()).await;
    let person = app.person("client").await;
    let (_, recovery) = enrolled(&app, &person).await;
    let first = challenge(&app, &person).await;
    let typed = recovery[0].to_uppercase().replace('-', " ");
    finish(&app, &first, json!({ "recovery_code": typed }))
        .await
        .expect(200);
    let second = challenge(&app, &person).await;
    let again = finish(&app, &second, json!({ "recovery_code": recovery[0] })).await;
    again.expect_error(401, "INVALID_CREDENTIALS");
    finish(&app, &second, json!({ "recovery_code": recovery[1] }))
        .await
        .expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_challenge_takes_five_attempts() {
    let app = App::start(&identity()).await;
    let person = app.person("client").await;
    let (totp, _) = enrolled(&app, &person).await;
    let challenge = challenge(&app, &person).await;
    for _ in 0..5 {
        finish(&app, &challenge, json!({ "code": "000000" }))
            .await
            .expect(401);
    }
    let right = json!({ "code": code(&totp, 0) });
    finish(&app, &challenge, right)
        .await
        .expect_error(400, "INVALID_TOKEN");
}

#[tokio::test(flavor = "multi_thread")]
async fn it_is_disabled_with_password_and_code() {
    let app = App::start(&identity()).await;
    let person = app.person("client").await;
    let me = app.by(&person);
    let (totp, _) = enrolled(&app, &person).await;
    me.post("/api/auth/2fa/enroll")
        .await
        .expect_error(409, "INVALID_STATE");
    let disable = |password: &str, code: String| {
        me.post("/api/auth/2fa/disable")
            .json(json!({ "password": password, "code": code }))
    };
    disable("wrong", code(&totp, 0)).await.expect(401);
    disable(&person.password, "000000".to_owned()).await.expect(401);
    disable(&person.password, code(&totp, 0)).await.expect(200);
    let data = app
        .sign_in(&person.email, &person.password, person.address)
        .await
        .expect(200)
        .data();
    assert!(data["access_token"].is_string());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_staff_role_can_be_made_to_need_it() {
    let app = App::of(&identity())
        .set("identity.two_factor_roles", ["admin"])
        .start()
        .await;
    let admin = app.person("admin").await;
    app.by(&admin)
        .get("/api/admin/users")
        .await
        .expect_error(403, "INSUFFICIENT_PERMISSIONS");
    let (totp, _) = enrolled(&app, &admin).await;
    let challenge = challenge(&app, &admin).await;
    let data = finish(&app, &challenge, json!({ "code": code(&totp, 0) }))
        .await
        .expect(200)
        .data();
    let token = data["access_token"].as_str().unwrap();
    app.get("/api/admin/users").bearer(token).await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_may_be_one_step_off_and_never_counts_twice() {
    let (builder, clock, hands) = by_the_clock();
    let app = builder.start().await;
    let person = app.person("client").await;
    let (totp, _) = enrolled_at(&app, &person, clock.now()).await;
    hands.advance(Duration::minutes(10));
    let shown = |steps: i64| json!({ "code": code_at(&totp, steps, clock.now()) });
    let first = challenge(&app, &person).await;
    for far in [-2, 2] {
        finish(&app, &first, shown(far))
            .await
            .expect_error(401, "INVALID_CREDENTIALS");
    }
    finish(&app, &first, shown(-1)).await.expect(200);
    let second = challenge(&app, &person).await;
    finish(&app, &second, shown(-1))
        .await
        .expect_error(401, "INVALID_CREDENTIALS");
    finish(&app, &second, shown(1)).await.expect(200);
    // The one between is older than what was used.
    let third = challenge(&app, &person).await;
    for used in [0, 1] {
        finish(&app, &third, shown(used))
            .await
            .expect_error(401, "INVALID_CREDENTIALS");
    }
    hands.advance(Duration::seconds(60));
    finish(&app, &third, shown(0)).await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_challenge_works_for_five_minutes() {
    let (builder, clock, hands) = by_the_clock();
    let app = builder.start().await;
    let person = app.person("client").await;
    let (_, recovery) = enrolled_at(&app, &person, clock.now()).await;
    let first = challenge(&app, &person).await;
    hands.advance(Duration::minutes(5) - Duration::seconds(1));
    finish(&app, &first, json!({ "recovery_code": recovery[0] }))
        .await
        .expect(200);
    let second = challenge(&app, &person).await;
    hands.advance(Duration::minutes(5));
    finish(&app, &second, json!({ "recovery_code": recovery[1] }))
        .await
        .expect_error(400, "INVALID_TOKEN");
}
