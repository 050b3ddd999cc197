//! `/api/verify/phone/…`, with the embedded verifier and with a double of Twilio's endpoints.

use std::sync::{Arc, Mutex};

use actix_web::{App as Actix, HttpRequest, HttpResponse, HttpServer, web};
use chrono::Duration;
use parlour_contracts::identity::v1::{ContactChanged, PhoneVerified};
use parlour_testkit::App;
use serde_json::{Value, json};

use crate::identity;
use crate::support::by_the_clock;

const NUMBER: &str = "+46701740605";

#[tokio::test(flavor = "multi_thread")]
async fn in_development_the_code_lands_in_the_outbox() {
    let app = App::start(&identity()).await;
    let person = app.person("client").await;
    let me = app.by(&person);
    let start = json!({ "phone_number": "+46 70-174 06 05", "channel": "sms" });
    let state = me
        .post("/api/verify/phone/start")
        .json(start)
        .await
        .expect(200)
        .data();
    assert_eq!(
        (&state["status"], &state["phone_number"]),
        (&json!("pending"), &json!(NUMBER))
    );
    let outbox = std::fs::read_to_string(app.outbox().join("sms.jsonl")).unwrap();
    let sms: Value = serde_json::from_str(outbox.lines().last().unwrap()).unwrap();
    assert_eq!(sms["to"], NUMBER);
    let code = sms["data"]["code"].as_str().unwrap();
    assert!(sms["text"].as_str().unwrap().contains(code));
    let check = |number: &str, code: &str| {
        me.post("/api/verify/phone/check")
            .json(json!({ "phone_number": number, "code": code }))
    };
    let wrong = if code == "000000" { "111111" } else { "000000" };
    check(NUMBER, wrong).await.expect_error(400, "VALIDATION_ERROR");
    check("+46701740606", code)
        .await
        .expect_error(400, "VALIDATION_ERROR");
    check(NUMBER, code).await.expect(200);
    check(NUMBER, code).await.expect_error(400, "INVALID_TOKEN");
    assert_eq!(me.get("/api/profile").await.data()["phone_verified"], true);
    let verified: Vec<PhoneVerified> = app.published("identity").await;
    assert_eq!((verified.len(), verified[0].country.as_str()), (1, "SE"));
    let contact: Vec<ContactChanged> = app.published("identity").await;
    assert!(contact.last().unwrap().phone_verified);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_takes_five_attempts_and_a_number_must_be_one() {
    let app = App::start(&identity()).await;
    let person = app.person("client").await;
    let me = app.by(&person);
    for wrong in ["0701740605", "+46", "+1 555 0100 x", "", "+99999999999"] {
        let body = json!({ "phone_number": wrong });
        me.post("/api/verify/phone/start")
            .json(body)
            .await
            .expect_error(400, "VALIDATION_ERROR");
    }
    let wrong = json!({ "phone_number": NUMBER, "channel": "pigeon" });
    me.post("/api/verify/phone/start")
        .json(wrong)
        .await
        .expect_error(400, "VALIDATION_ERROR");
    me.post("/api/verify/phone/start")
        .json(json!({ "phone_number": NUMBER }))
        .await
        .expect(200);
    let check = || {
        me.post("/api/verify/phone/check")
            .json(json!({ "phone_number": NUMBER, "code": "999999999" }))
    };
    for _ in 0..5 {
        check().await.expect_error(400, "VALIDATION_ERROR");
    }
    check().await.expect_error(400, "INVALID_TOKEN");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_works_for_ten_minutes() {
    let (builder, _, hands) = by_the_clock();
    let app = builder.start().await;
    let person = app.person("client").await;
    let me = app.by(&person);
    let sent = async || {
        let start = json!({ "phone_number": NUMBER });
        me.post("/api/verify/phone/start").json(start).await.expect(200);
        let outbox = std::fs::read_to_string(app.outbox().join("sms.jsonl")).unwrap();
        let sms: Value = serde_json::from_str(outbox.lines().last().unwrap()).unwrap();
        json!({ "phone_number": NUMBER, "code": sms["data"]["code"] })
    };
    let check = |body: Value| me.post("/api/verify/phone/check").json(body);
    let first = sent().await;
    hands.advance(Duration::minutes(10) - Duration::seconds(1));
    check(first).await.expect(200);
    let second = sent().await;
    hands.advance(Duration::minutes(10));
    check(second).await.expect_error(400, "INVALID_TOKEN");
}

type Seen = web::Data<Arc<Mutex<Vec<String>>>>;

async fn twilio(seen: Seen, request: HttpRequest, form: web::Form<Vec<(String, String)>>) -> HttpResponse {
    let authorization = request.headers().get("authorization").unwrap().to_str().unwrap();
    let line = format!("{} {authorization} {:?}", request.path(), form.0);
    seen.lock().unwrap().push(line);
    let value = |name: &str| {
        form.iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    };
    if request.path().ends_with("VerificationCheck") {
        let status = if value("Code") == Some("1234") {
            "approved"
        } else {
            "pending"
        };
        return HttpResponse::Ok().json(json!({ "status": status }));
    }
    match value("Channel") {
        Some("call") => HttpResponse::TooManyRequests().json(json!({ "code": 60203 })),
        Some("whatsapp") => HttpResponse::InternalServerError().body("<html>upstream secret</html>"),
        _ => HttpResponse::Created().json(json!({ "status": "pending" })),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn with_an_account_twilio_sends_and_checks() {
    let seen: Arc<Mutex<Vec<String>>> = Arc::default();
    let data = web::Data::new(seen.clone());
    let server = HttpServer::new(move || {
        Actix::new()
            .app_data(data.clone())
            .default_service(web::post().to(twilio))
    })
    .workers(1)
    .disable_signals()
    .bind("127.0.0.1:0")
    .unwrap();
    let base = format!("http://{}", server.addrs()[0]);
    tokio::spawn(server.run());
    let account = json!({ "base_url": base, "account_sid": "AC1", "auth_token": "t", "service_sid": "VA1" });
    let app = App::of(&identity()).set("identity.twilio", account).start().await;
    let person = app.person("client").await;
    let me = app.by(&person);
    let start = |channel: &str| {
        me.post("/api/verify/phone/start")
            .json(json!({ "phone_number": NUMBER, "channel": channel }))
    };
    start("call").await.expect_error(429, "RATE_LIMIT_EXCEEDED");
    let away = start("whatsapp").await;
    away.expect_error(503, "UPSTREAM_UNAVAILABLE");
    assert!(!away.text().contains("secret"));
    start("sms").await.expect(200);
    let check = |code: &str| {
        me.post("/api/verify/phone/check")
            .json(json!({ "phone_number": NUMBER, "code": code }))
    };
    check("9999").await.expect_error(400, "VALIDATION_ERROR");
    check("1234").await.expect(200);
    let lines = seen.lock().unwrap().join("\n");
    assert!(
        lines.contains("/v2/Services/VA1/Verifications Basic QUMxOnQ="),
        "{lines}"
    );
    assert!(lines.contains("/v2/Services/VA1/VerificationCheck"), "{lines}");
}
