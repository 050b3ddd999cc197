//! Firebase Cloud Messaging: what is asked of it and of the token server, and what answers mean.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use actix_web::HttpResponse;
use chrono::Duration as Span;
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use parlour_chassis::{Clock, Hands};
use parlour_notify::channels::settings::{FcmSettings, PushProvider};
use parlour_notify::channels::{Address, Class, Outgoing, Providers, Settings};
use parlour_notify::domain::Priority;
use rcgen::{KeyPair, PKCS_RSA_SHA256, PublicKeyData as _};
use serde_json::{Value, json};

use crate::support::http::{self, Recorded, serve};
use crate::support::{group, message, nobody, now};

/// Google: the token server and FCM in one.
fn google(
    answer: impl Fn(&Recorded) -> HttpResponse + Send + Sync + 'static,
) -> impl Fn(&Recorded) -> HttpResponse + Send + Sync + 'static {
    let granted = AtomicUsize::new(0);
    move |request| {
        if request.path == "/token" {
            let number = granted.fetch_add(1, Ordering::SeqCst);
            return http::json(
                200,
                json!({ "access_token": format!("token-{number}"), "expires_in": 3600 }),
            );
        }
        answer(request)
    }
}

fn pushing(base: &str, key: &KeyPair) -> (Providers, Hands) {
    let account = json!({
        "type": "service_account", "project_id": "parlour-1", "private_key_id": "key-1",
        "private_key": key.serialize_pem(), "client_email": "push@parlour-1.iam.example",
        "token_uri": format!("{base}/token"),
    });
    let fcm: FcmSettings =
        serde_json::from_value(json!({ "base_url": base, "service_account": account.to_string() })).unwrap();
    let (clock, hands) = Clock::manual(now());
    let settings = Settings {
        push: group([("apps", PushProvider::Fcm(fcm))]),
        ..nobody()
    };
    (Providers::new(&settings, None, &clock).unwrap(), hands)
}

fn key() -> KeyPair {
    KeyPair::generate_for(&PKCS_RSA_SHA256).unwrap()
}

fn device() -> Outgoing {
    message(Address::Device("device-token".into()))
}

#[tokio::test]
async fn the_requests_are_as_the_documentation_has_them() {
    let (base, mut asked) = serve(google(|_| {
        http::json(200, json!({ "name": "projects/parlour-1/messages/7" }))
    }))
    .await;
    let key = key();
    let (providers, hands) = pushing(&base, &key);
    let mut outgoing = device();
    outgoing.priority = Priority::Emergency;
    outgoing.expires_at = Some(now() + Span::minutes(5));
    outgoing.content.url = Some("https://parlour.example/orders/1".to_owned());
    let sent = providers.carry(&outgoing).await.unwrap();
    assert_eq!(sent.provider_id.as_deref(), Some("projects/parlour-1/messages/7"));

    let grant = asked.recv().await.unwrap();
    assert_eq!(grant.path, "/token");
    assert_eq!(
        grant.field("grant_type"),
        "urn:ietf:params:oauth:grant-type:jwt-bearer"
    );
    let mut rules = Validation::new(Algorithm::RS256);
    rules.set_audience(&[format!("{base}/token")]);
    rules.validate_exp = false;
    let public = DecodingKey::from_rsa_der(key.der_bytes());
    let assertion = jsonwebtoken::decode::<Value>(grant.field("assertion"), &public, &rules).unwrap();
    assert_eq!(assertion.header.kid.as_deref(), Some("key-1"));
    assert_eq!(
        assertion.claims,
        json!({
            "iss": "push@parlour-1.iam.example", "aud": format!("{base}/token"),
            "scope": "https://www.googleapis.com/auth/firebase.messaging",
            "iat": now().timestamp(), "exp": now().timestamp() + 3600,
        })
    );

    let request = asked.recv().await.unwrap();
    assert_eq!(request.path, "/v1/projects/parlour-1/messages:send");
    assert_eq!(request.header("authorization"), "Bearer token-0");
    let id = outgoing.notification_id.to_string();
    assert_eq!(
        request.json(),
        json!({ "message": {
            "token": "device-token",
            "notification": { "title": "Your reading is ready", "body": outgoing.content.text },
            "data": {
                "id": id, "type": "order_delivered", "priority": "emergency",
                "url": "https://parlour.example/orders/1", "data": "{\"order_id\":\"1\"}",
            },
            "android": { "priority": "HIGH", "ttl": "300s", "notification": { "tag": id } },
            "apns": {
                "headers": {
                    "apns-priority": "10", "apns-expiration": (now().timestamp() + 300).to_string(),
                    "apns-collapse-id": id,
                },
                "payload": { "aps": { "sound": "default" } },
            },
        }})
    );

    // The token is kept until shortly before it ends.
    providers.carry(&device()).await.unwrap();
    assert_eq!(
        asked.recv().await.unwrap().header("authorization"),
        "Bearer token-0"
    );
    hands.advance(Span::minutes(55));
    providers.carry(&device()).await.unwrap();
    assert_eq!(asked.recv().await.unwrap().path, "/token");
    assert_eq!(
        asked.recv().await.unwrap().header("authorization"),
        "Bearer token-1"
    );
}

#[tokio::test]
async fn answers_are_told_by_class() {
    let (key, fcm) = (key(), "type.googleapis.com/google.firebase.fcm.v1.FcmError");
    let bad_request = json!({
        "@type": "type.googleapis.com/google.rpc.BadRequest",
        "fieldViolations": [{ "field": "message.token", "description": "Invalid registration token" }],
    });
    let device_quota = json!({
        "@type": "type.googleapis.com/google.rpc.QuotaFailure", "violations": [{ "subject": "device:x" }],
    });
    for (status, code, more, class, others) in [
        (404, "UNREGISTERED", None, Class::BadAddress, true),
        (403, "SENDER_ID_MISMATCH", None, Class::BadAddress, true),
        (400, "INVALID_ARGUMENT", None, Class::Permanent, true),
        (
            400,
            "INVALID_ARGUMENT",
            Some(bad_request),
            Class::BadAddress,
            true,
        ),
        (401, "THIRD_PARTY_AUTH_ERROR", None, Class::Permanent, true),
        (429, "QUOTA_EXCEEDED", None, Class::Throttled, false),
        (429, "QUOTA_EXCEEDED", Some(device_quota), Class::Throttled, true),
        (503, "UNAVAILABLE", None, Class::Transient, false),
        (500, "INTERNAL", None, Class::Transient, false),
    ] {
        let mut details = vec![json!({ "@type": fcm, "errorCode": code })];
        details.extend(more);
        let body = json!({ "error": { "code": status, "message": "on device-token", "status": "S", "details": details } });
        let answer = move |_: &Recorded| {
            HttpResponse::build(status.try_into().unwrap())
                .insert_header(("retry-after", "60"))
                .json(body.clone())
        };
        let (base, mut asked) = serve(google(answer)).await;
        let providers = pushing(&base, &key).0;
        let refused = providers.carry(&device()).await.unwrap_err();
        assert_eq!(refused.class, class, "{refused}");
        assert_eq!(refused.words, format!("HTTP {status} {code} on [address]"));
        let waits = matches!(status, 429 | 500 | 503);
        assert_eq!(refused.retry_after, waits.then_some(Duration::from_mins(1)));
        // Whether another device is sent to meanwhile: by the token, this message and the next.
        providers.carry(&device()).await.unwrap_err();
        let mut requests = 0;
        while asked.try_recv().is_ok() {
            requests += 1;
        }
        assert_eq!(requests, if others { 3 } else { 2 }, "{code}");
    }
}

#[tokio::test]
async fn a_token_that_is_none_is_known_by_the_documented_words() {
    let body = json!({ "error": {
        "code": 400, "message": "The registration token is not a valid FCM registration token",
        "status": "INVALID_ARGUMENT", "details": [{
            "@type": "type.googleapis.com/google.firebase.fcm.v1.FcmError", "errorCode": "INVALID_ARGUMENT",
        }],
    }});
    let (base, _asked) = serve(google(move |_| http::json(400, body.clone()))).await;
    let refused = pushing(&base, &key()).0.carry(&device()).await.unwrap_err();
    assert_eq!(refused.class, Class::BadAddress);
}

#[tokio::test]
async fn a_token_that_is_refused_is_replaced_for_the_next_message() {
    let (base, mut asked) = serve(google(|request| {
        if request.header("authorization") == "Bearer token-0" {
            return http::json(
                401,
                json!({ "error": { "status": "UNAUTHENTICATED", "message": "expired" } }),
            );
        }
        http::json(200, json!({ "name": "n" }))
    }))
    .await;
    let (providers, _hands) = pushing(&base, &key());
    let refused = providers.carry(&device()).await.unwrap_err();
    assert_eq!(refused.class, Class::Transient);
    providers.carry(&device()).await.unwrap();
    let mut paths = Vec::new();
    while let Ok(request) = asked.try_recv() {
        paths.push(request.path);
    }
    assert_eq!(paths.iter().filter(|path| *path == "/token").count(), 2);
}

#[tokio::test]
async fn many_at_once_ask_for_one_token() {
    let (base, mut asked) = serve(google(|_| http::json(200, json!({ "name": "n" })))).await;
    let providers = Arc::new(pushing(&base, &key()).0);
    let mut batch = tokio::task::JoinSet::new();
    for _ in 0..20 {
        let providers = providers.clone();
        batch.spawn(async move { providers.carry(&device()).await });
    }
    assert!(batch.join_all().await.iter().all(Result::is_ok));
    let mut grants = 0;
    while let Ok(request) = asked.try_recv() {
        grants += usize::from(request.path == "/token");
    }
    assert_eq!(grants, 1);
}

#[tokio::test]
async fn without_a_token_nothing_is_said_about_the_message() {
    let (base, _asked) = serve(|_| {
        http::json(
            400,
            json!({ "error": "invalid_grant", "error_description": "Invalid JWT Signature." }),
        )
    })
    .await;
    let refused = pushing(&base, &key()).0.carry(&device()).await.unwrap_err();
    assert_eq!(refused.class, Class::Transient);
    assert_eq!(
        refused.words,
        "no access token: HTTP 400 invalid_grant Invalid JWT Signature."
    );
}

#[tokio::test]
async fn a_large_message_goes_without_its_data() {
    let (base, mut asked) = serve(google(|_| http::json(200, json!({ "name": "n" })))).await;
    let mut outgoing = device();
    outgoing.content.text = "👋".repeat(3000);
    outgoing.data = json!("x".repeat(3000));
    pushing(&base, &key()).0.carry(&outgoing).await.unwrap();
    assert_eq!(asked.recv().await.unwrap().path, "/token");
    let request = asked.recv().await.unwrap();
    assert!(request.body.len() < 4096 + 500, "{}", request.body.len());
    assert_eq!(request.json()["message"]["data"].get("data"), None);
}
