//! SafeTalk's bare paths.

use chrono::Duration;
use parlour_testkit::App;
use serde_json::json;

use crate::identity;
use crate::support::by_the_clock;

const PASSWORD: &str = "correct horse battery";

fn form(role: &str) -> serde_json::Value {
    json!({
        "username": "sara", "email": "sara@example.org", "password1": PASSWORD, "password2": PASSWORD, "role": role,
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_counsellor_waits_for_an_admin() {
    let app = App::start(&identity()).await;
    let made = app
        .post("/register/")
        .json(form("counselor"))
        .await
        .expect(201)
        .json();
    assert_eq!(
        (&made["user"]["role"], &made["user"]["status"]),
        (&json!("client"), &json!("pending"))
    );
    assert!(made.get("success").is_none(), "the bare object");
    let login = json!({ "username": "sara", "password": PASSWORD });
    let signed_in = app.post("/login/").json(&login).await.expect(200).json();
    assert_eq!(signed_in["user"]["role"], "client");
    let owner = app.person("owner").await;
    let waiting = app.by(&owner).get("/api/admin/users?status=pending").await.data()["users"].clone();
    assert_eq!(waiting[0]["username"], "sara");
    let path = format!("/api/admin/users/{}/roles", waiting[0]["id"].as_str().unwrap());
    app.by(&owner)
        .put(&path)
        .json(json!({ "roles": ["reader"] }))
        .await
        .expect(200);
    let signed_in = app.post("/login").json(login).await.expect(200).json();
    assert_eq!(
        (&signed_in["user"]["role"], &signed_in["user"]["status"]),
        (&json!("counselor"), &json!("active"))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn errors_are_in_its_own_shape() {
    let app = App::start(&identity()).await;
    let mut wrong = form("admin");
    wrong["password2"] = json!("another");
    let error = app.post("/register/").json(wrong).await.expect(400).json();
    assert_eq!(error["code"], "VALIDATION_ERROR");
    assert!(error["error"].is_string() && error["timestamp"].is_string());
    assert!(error.get("success").is_none() && error.get("request_id").is_none());
    assert_eq!(error["details"].as_array().unwrap().len(), 2, "{error}");
    app.get("/profile/")
        .await
        .expect_error(401, "AUTHENTICATION_REQUIRED");
    let refused = json!({ "username": "sara", "password": "x" });
    app.post("/login/")
        .json(refused)
        .await
        .expect_error(401, "INVALID_CREDENTIALS");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_cookie_reads_and_writes_only_from_our_own_pages() {
    let app = App::start(&identity()).await;
    app.post("/register/").json(form("client")).await.expect(201);
    let browser = app.client().with_cookies();
    let login = json!({ "username": "sara", "password": PASSWORD });
    let answer = browser.post("/login/").json(login).await;
    let session = answer.expect(200).header("set-cookie").unwrap().to_owned();
    assert!(session.starts_with("parlour_session=plc_"), "{session}");
    assert!(
        session.contains("HttpOnly") && session.contains("SameSite=Lax"),
        "{session}"
    );
    let profile = browser.get("/profile/").await.expect(200).json();
    assert_eq!(
        (&profile["username"], &profile["role"]),
        (&json!("sara"), &json!("client"))
    );
    for counter in [
        "total_appointments",
        "completed_appointments",
        "goals_set",
        "goals_completed",
    ] {
        assert_eq!(profile[counter], 0);
    }
    browser
        .post("/logout/")
        .await
        .expect_error(403, "INSUFFICIENT_PERMISSIONS");
    let forged = browser
        .post("/logout/")
        .header("origin", "https://evil.example")
        .await;
    forged.expect(403);
    browser
        .post("/logout/")
        .header("x-csrftoken", "guess")
        .await
        .expect(403);
    let csrf = browser.cookie("csrftoken").unwrap();
    browser
        .post("/logout/")
        .header("x-csrftoken", &csrf)
        .await
        .expect(200);
    let old = session.split(';').next().unwrap();
    app.get("/profile/").header("cookie", old).await.expect(401);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_cookie_ends_with_its_session() {
    let (builder, _, hands) = by_the_clock();
    let app = builder.start().await;
    app.post("/register/").json(form("client")).await.expect(201);
    let browser = app.client().with_cookies();
    let login = json!({ "username": "sara", "password": PASSWORD });
    browser.post("/login/").json(login).await.expect(200);
    hands.advance(Duration::days(30) - Duration::seconds(1));
    browser.get("/profile/").await.expect(200);
    hands.advance(Duration::seconds(1));
    browser.get("/profile/").await.expect(401);
}
