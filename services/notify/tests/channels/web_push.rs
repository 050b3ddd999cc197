//! Web Push, read by implementations that are not ours.

use std::time::Duration;

use actix_web::HttpResponse;
use aws_lc_rs::agreement::{ECDH_P256, PrivateKey};
use aws_lc_rs::encoding::{AsBigEndian as _, EcPrivateKeyBin};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::Duration as Span;
use parlour_chassis::{Clock, Hands};
use parlour_notify::channels::settings::{PushProvider, WebPushSettings};
use parlour_notify::channels::webpush::{BadEndpoint, BadSubscription};
use parlour_notify::channels::{Address, Class, Outgoing, Providers, Settings};
use parlour_notify::domain::Priority;
use serde_json::json;

use crate::support::http::{recorder, serve};
use crate::support::{group, message, nobody, node, now};

/// The key of RFC 8291's example.
const KEY: &str = "yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw";

const AUTH: [u8; 16] = *b"sixteen secret b";

/// A browser that subscribed.
struct Browser(PrivateKey);

impl Browser {
    fn new() -> Self {
        Self(PrivateKey::generate(&ECDH_P256).unwrap())
    }

    fn p256dh(&self) -> Vec<u8> {
        self.0.compute_public_key().unwrap().as_ref().to_vec()
    }

    fn private_key(&self) -> String {
        let number: EcPrivateKeyBin<'_> = self.0.as_be_bytes().unwrap();
        URL_SAFE_NO_PAD.encode(number.as_ref())
    }

    fn at(&self, endpoint: &str) -> Outgoing {
        message(Address::WebPush {
            endpoint: endpoint.into(),
            p256dh: self.p256dh(),
            auth: AUTH.to_vec(),
        })
    }
}

/// All push services, those inside too if `private_endpoints`.
pub(crate) fn provider(private_endpoints: bool) -> PushProvider {
    let settings: WebPushSettings = serde_json::from_value(json!({
        "private_key": KEY, "contact": "mailto:ops@parlour.example",
        "private_endpoints": private_endpoints, "timeout_seconds": 5,
    }))
    .unwrap();
    PushProvider::WebPush(settings)
}

fn pushing(private_endpoints: bool) -> (Providers, Hands) {
    let (clock, hands) = Clock::manual(now());
    let settings = Settings {
        push: group([("browsers", provider(private_endpoints))]),
        ..nobody()
    };
    (Providers::new(&settings, None, &clock).unwrap(), hands)
}

#[tokio::test]
async fn the_browser_reads_it_and_the_push_service_knows_who_sent_it() {
    let (base, mut asked) = serve(|_| HttpResponse::Created().finish()).await;
    let browser = Browser::new();
    let (providers, _hands) = pushing(true);
    let mut message = browser.at(&format!("{base}/push/abc?x=1"));
    message.priority = Priority::High;
    message.expires_at = Some(now() + Span::minutes(10));
    message.content.subject = "قراءتك جاهزة ✨".to_owned();
    message.content.url = Some("https://parlour.example/orders/1".to_owned());
    let sent = providers.carry(&message).await.unwrap();
    assert_eq!((sent.provider.as_str(), sent.provider_id), ("browsers", None));

    let request = asked.recv().await.unwrap();
    assert_eq!(
        (request.method.as_str(), request.path.as_str()),
        ("POST", "/push/abc")
    );
    for (name, value) in [
        ("content-encoding", "aes128gcm"),
        ("ttl", "600"),
        ("urgency", "high"),
        ("topic", &URL_SAFE_NO_PAD.encode(message.notification_id)),
    ] {
        assert_eq!(request.header(name), value, "{name}");
    }
    assert!(request.header("topic").len() <= 32);
    let read = node::run(
        "browser.mjs",
        &json!({
            "private_key": browser.private_key(), "auth": URL_SAFE_NO_PAD.encode(AUTH),
            "authorization": request.header("authorization"), "body": URL_SAFE_NO_PAD.encode(&request.body),
        }),
    )
    .await;
    assert_eq!(
        read["token"],
        json!({
            "header": { "typ": "JWT", "alg": "ES256" },
            "claims": {
                "aud": base, "exp": (now() + Span::hours(12)).timestamp(), "sub": "mailto:ops@parlour.example",
            },
            "is_signed": true,
        })
    );
    assert_eq!(read["public_key"], providers.web_push_key().unwrap());
    assert_eq!(
        read["content"],
        json!({
            "id": message.notification_id, "type": "order_delivered", "title": "قراءتك جاهزة ✨",
            "body": message.content.text, "url": "https://parlour.example/orders/1", "priority": "high",
            "data": { "order_id": "1" },
        })
    );
}

#[tokio::test]
async fn a_long_message_is_cut_to_what_a_push_service_takes() {
    let (base, mut asked) = serve(|_| HttpResponse::Created().finish()).await;
    let browser = Browser::new();
    let mut message = browser.at(&base);
    message.content.text = "👋".repeat(5000);
    pushing(true).0.carry(&message).await.unwrap();
    let request = asked.recv().await.unwrap();
    assert!(request.body.len() <= 4096, "{}", request.body.len());
    assert_eq!(request.header("ttl"), "2419200");
    assert_eq!(request.header("urgency"), "normal");
}

#[tokio::test]
async fn answers_are_told_by_class() {
    for (status, class) in [
        (400, Class::Permanent),
        (401, Class::Permanent),
        (403, Class::Permanent),
        (404, Class::BadAddress),
        (410, Class::BadAddress),
        (413, Class::Permanent),
        (429, Class::Throttled),
        (500, Class::Transient),
        (503, Class::Transient),
    ] {
        let (base, _asked) = serve(move |_| {
            HttpResponse::build(status.try_into().unwrap())
                .insert_header(("retry-after", "90"))
                .body("because")
        })
        .await;
        let refused = pushing(true)
            .0
            .carry(&Browser::new().at(&base))
            .await
            .unwrap_err();
        assert_eq!(refused.class, class, "{refused}");
        assert_eq!(refused.words, format!("HTTP {status} because"));
        let waits = matches!(status, 429 | 500 | 503);
        assert_eq!(refused.retry_after, waits.then_some(Duration::from_secs(90)));
    }
}

/// Endpoints come from users: one who names a dead one must not end push for the others.
#[tokio::test]
async fn a_dead_push_service_does_not_close_the_others() {
    let (good, _asked) = recorder().await;
    let (providers, _hands) = pushing(true);
    let browser = Browser::new();
    // The same machine by another name is another push service.
    let dead = browser.at("http://localhost:1/push");
    for _ in 0..5 {
        assert_eq!(providers.carry(&dead).await.unwrap_err().class, Class::Transient);
    }
    assert!(providers.carry(&dead).await.unwrap_err().retry_after.is_some());
    providers.carry(&browser.at(&good)).await.unwrap();
}

#[tokio::test]
async fn nobody_is_led_inside() {
    let (base, mut asked) = recorder().await;
    let port = base.rsplit_once(':').unwrap().1.to_owned();
    let (providers, _hands) = pushing(false);
    for endpoint in [
        base,
        format!("https://127.0.0.1:{port}/"),
        format!("https://localhost:{port}/"),
        "https://169.254.169.254/latest/meta-data/".to_owned(),
        format!("https://[::ffff:127.0.0.1]:{port}/"),
    ] {
        let refused = providers.carry(&Browser::new().at(&endpoint)).await.unwrap_err();
        assert_eq!(refused.class, Class::BadAddress, "{endpoint}: {refused}");
    }
    assert!(asked.try_recv().is_err());
}

#[tokio::test]
async fn redirects_are_not_followed() {
    let (inside, mut asked) = recorder().await;
    let (base, _redirected) = serve(move |_| {
        HttpResponse::TemporaryRedirect()
            .insert_header(("location", inside.as_str()))
            .finish()
    })
    .await;
    let refused = pushing(true)
        .0
        .carry(&Browser::new().at(&base))
        .await
        .unwrap_err();
    assert_eq!(refused.class, Class::Permanent);
    assert!(asked.try_recv().is_err());
}

#[tokio::test]
async fn a_subscription_is_looked_at_before_it_is_used() {
    let (providers, _hands) = pushing(false);
    let key = Browser::new().p256dh();
    let endpoint = "https://push.example.org/x";
    assert_eq!(providers.check_subscription(endpoint, &key, &AUTH), Ok(()));
    let compressed = [&[2], &key[1..33]].concat();
    for (endpoint, key, auth, why) in [
        (
            "http://push.example.org/x",
            key.as_slice(),
            &AUTH[..],
            BadSubscription::Endpoint(BadEndpoint::NotSecure),
        ),
        (
            "https://10.0.0.1/x",
            &key,
            &AUTH,
            BadSubscription::Endpoint(BadEndpoint::NotPublic),
        ),
        (endpoint, &key[..64], &AUTH, BadSubscription::Key),
        (endpoint, &[4; 65], &AUTH, BadSubscription::Key),
        (endpoint, &compressed, &AUTH, BadSubscription::Key),
        (endpoint, &key, &AUTH[..15], BadSubscription::Auth),
    ] {
        assert_eq!(providers.check_subscription(endpoint, key, auth), Err(why));
    }
    let nobody = Providers::new(&nobody(), None, &Clock::system()).unwrap();
    assert_eq!(
        nobody.check_subscription(endpoint, &key, &AUTH),
        Err(BadSubscription::NoWebPush)
    );
    assert!(
        !nobody.reach(&Browser::new().at(endpoint).to) && providers.reach(&Browser::new().at(endpoint).to)
    );
}
