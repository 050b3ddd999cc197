//! Twilio's Messages API: what is asked of it and what its answers mean.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::Duration as Span;
use parlour_chassis::Clock;
use parlour_notify::channels::settings::{SmsProvider, TwilioSettings};
use parlour_notify::channels::twilio::{MessageStatus, sign};
use parlour_notify::channels::{Class, Providers, Settings};
use serde_json::json;

use crate::support::http::{self, serve};
use crate::support::{group, nobody, now, text};

fn account(base: &str) -> TwilioSettings {
    serde_json::from_value(json!({
        "base_url": base, "account_sid": "AC1", "auth_token": "secret", "from": "+15005550006",
        "status_callback": "https://parlour.example/callbacks/twilio?v=1",
    }))
    .unwrap()
}

fn texting(providers: impl IntoIterator<Item = (&'static str, TwilioSettings)>) -> Providers {
    let providers = providers
        .into_iter()
        .map(|(name, settings)| (name, SmsProvider::Twilio(settings)));
    let settings = Settings {
        sms: group(providers),
        ..nobody()
    };
    Providers::new(&settings, None, &Clock::manual(now()).0).unwrap()
}

#[tokio::test]
async fn the_request_is_as_the_documentation_has_it() {
    let (base, mut asked) = serve(|_| http::json(201, json!({ "sid": "SM1", "status": "queued" }))).await;
    let providers = texting([("main", account(&base))]);
    let mut message = text("+46701740605");
    message.content.text = "قراءتك & more = ready".to_owned();
    message.expires_at = Some(now() + Span::minutes(5));
    let sent = providers.carry(&message).await.unwrap();
    assert_eq!(
        (sent.provider.as_str(), sent.provider_id.as_deref()),
        ("main", Some("SM1"))
    );

    let request = asked.recv().await.unwrap();
    assert_eq!(
        (request.method.as_str(), request.path.as_str()),
        ("POST", "/2010-04-01/Accounts/AC1/Messages.json")
    );
    assert_eq!(
        request.header("content-type"),
        "application/x-www-form-urlencoded"
    );
    assert_eq!(
        request.header("authorization"),
        format!("Basic {}", STANDARD.encode("AC1:secret"))
    );
    assert_eq!(
        request.form(),
        [
            ("To", "+46701740605".to_owned()),
            ("From", "+15005550006".to_owned()),
            ("Body", message.content.text.clone()),
            (
                "StatusCallback",
                format!(
                    "https://parlour.example/callbacks/twilio?v=1&delivery_id={}",
                    message.delivery_id
                )
            ),
            ("ValidityPeriod", "300".to_owned()),
        ]
        .map(|(name, value)| (name.to_owned(), value))
    );
}

#[tokio::test]
async fn an_api_key_signs_in_and_a_messaging_service_sends() {
    let (base, mut asked) = serve(|_| http::json(201, json!({ "sid": "SM1" }))).await;
    let providers = texting([(
        "main",
        TwilioSettings {
            api_key_sid: "SK1".to_owned(),
            api_key_secret: "key".into(),
            from: String::new(),
            messaging_service_sid: "MG1".to_owned(),
            ..account(&base)
        },
    )]);
    providers.carry(&text("+46701740605")).await.unwrap();
    let request = asked.recv().await.unwrap();
    assert_eq!(request.path, "/2010-04-01/Accounts/AC1/Messages.json");
    assert_eq!(
        request.header("authorization"),
        format!("Basic {}", STANDARD.encode("SK1:key"))
    );
    assert_eq!(
        (request.field("MessagingServiceSid"), request.field("From")),
        ("MG1".to_owned(), String::new())
    );
}

#[tokio::test]
async fn answers_are_told_by_class() {
    for (status, code, class) in [
        (400, 21211, Class::BadAddress),
        (400, 21610, Class::BadAddress),
        (400, 21614, Class::BadAddress),
        (400, 21635, Class::BadAddress),
        (400, 21606, Class::Transient),
        (400, 21617, Class::Permanent),
        (400, 21408, Class::Permanent),
        (429, 20429, Class::Throttled),
        (400, 21611, Class::Throttled),
        (401, 20003, Class::Transient),
        (403, 20005, Class::Transient),
        (404, 20404, Class::Permanent),
        (500, 20500, Class::Transient),
    ] {
        let answer = json!({ "code": code, "message": "to +46701740605: no", "status": status });
        let (base, _asked) = serve(move |_| http::json(status, answer.clone())).await;
        let refused = texting([("main", account(&base))])
            .carry(&text("+46701740605"))
            .await
            .unwrap_err();
        assert_eq!(refused.class, class, "{refused}");
        assert_eq!(refused.words, format!("{code}: to [address]: no"));
    }
    let (base, _asked) = serve(|_| actix_web::HttpResponse::BadGateway().body("<html>")).await;
    let refused = texting([("main", account(&base))])
        .carry(&text("+46701740605"))
        .await
        .unwrap_err();
    assert_eq!(
        (refused.class, refused.words.as_str()),
        (Class::Transient, "HTTP 502")
    );
}

#[tokio::test]
async fn retry_after_is_kept_and_meanwhile_the_next_is_asked() {
    let too_many = |wait: &'static str| {
        move |_: &http::Recorded| {
            actix_web::HttpResponse::TooManyRequests()
                .insert_header(("retry-after", wait))
                .json(json!({ "code": 20429, "message": "Too many requests" }))
        }
    };
    // By the test's clock this is two minutes away.
    let (one, mut asked_one) = serve(too_many("Sun, 01 Mar 2026 12:02:00 GMT")).await;
    let (two, mut asked_two) = serve(too_many("40")).await;
    let providers = texting([("one", account(&one)), ("two", account(&two))]);
    for _ in 0..2 {
        let refused = providers.carry(&text("+46701740605")).await.unwrap_err();
        assert_eq!(refused.retry_after, Some(Duration::from_secs(40)), "{refused}");
    }
    assert!(asked_one.recv().await.is_some() && asked_two.recv().await.is_some());
    // The second message found both left out.
    assert!(asked_one.try_recv().is_err() && asked_two.try_recv().is_err());
}

#[tokio::test]
async fn a_status_callback_counts_only_with_the_signature_of_an_account() {
    let (base, _asked) = serve(|_| http::json(201, json!({ "sid": "SM1" }))).await;
    let other = TwilioSettings {
        auth_token: "other".into(),
        ..account(&base)
    };
    let providers = texting([("other", other), ("main", account(&base))]);
    let message = text("+46701740605");
    let query = format!("v=1&delivery_id={}", message.delivery_id);
    let url = format!("https://parlour.example/callbacks/twilio?{query}");
    let params = |status: &str, code: Option<&str>| {
        let mut params = vec![
            ("MessageSid".to_owned(), "SM1".to_owned()),
            ("MessageStatus".to_owned(), status.to_owned()),
        ];
        params.extend(code.map(|code| ("ErrorCode".to_owned(), code.to_owned())));
        params
    };
    for (status, code, expected, class) in [
        ("queued", None, MessageStatus::Queued, None),
        ("sent", None, MessageStatus::Sent, None),
        ("delivered", None, MessageStatus::Delivered, None),
        (
            "undelivered",
            Some("30005"),
            MessageStatus::Undelivered,
            Some(Class::BadAddress),
        ),
        (
            "undelivered",
            Some("30003"),
            MessageStatus::Undelivered,
            Some(Class::Permanent),
        ),
        (
            "failed",
            Some("30001"),
            MessageStatus::Failed,
            Some(Class::Throttled),
        ),
    ] {
        let params = params(status, code);
        let signature = sign(&"secret".into(), &url, &params);
        let report = providers.read_sms_status(&query, &params, &signature).unwrap();
        assert_eq!((report.status, report.class()), (expected, class));
        assert_eq!(report.delivery_id, message.delivery_id);
    }
    let params = params("delivered", None);
    let forged = sign(&"guess".into(), &url, &params);
    assert_eq!(providers.read_sms_status(&query, &params, &forged), None);
    let another = format!("v=1&delivery_id={}", uuid::Uuid::now_v7());
    let signature = sign(&"secret".into(), &url, &params);
    assert_eq!(providers.read_sms_status(&another, &params, &signature), None);
}
