//! `POST /api/notifications/callbacks/twilio`

use std::sync::Arc;

use chrono::{Duration, Utc};
use futures_util::future::BoxFuture;
use parlour_chassis::{Clock, Service};
use parlour_notify::channels::twilio::{StatusReport, sign};
use parlour_notify::channels::{Outgoing, Providers, Refused, Sent, Settings};
use parlour_notify::dispatch::Carrier;
use parlour_testkit::{Answer, App, AppBuilder, Person, eventually};
use serde_json::{Value, json};

use crate::support::{Recorder, delivery, known, recorder, recorder_at};

const PATH: &str = "/api/notifications/callbacks/twilio";
/// The URL that Twilio was given, which is what it signs.
const URL: &str = "https://parlour.example/api/notifications/callbacks/twilio?v=1";

/// Messages are taken by the recorder; what Twilio reports is read by the real providers.
struct Texting(Arc<Recorder>, Providers);

impl Carrier for Texting {
    fn carry<'m>(&'m self, message: &'m Outgoing) -> BoxFuture<'m, Result<Sent, Refused>> {
        self.0.carry(message)
    }

    fn read_sms_status(
        &self,
        query: &str,
        fields: &[(String, String)],
        signature: &str,
    ) -> Option<StatusReport> {
        self.1.read_sms_status(query, fields, signature)
    }
}

fn texting() -> AppBuilder {
    let notify = Service {
        build: |context| {
            Box::pin(async move {
                let settings: Settings = context.config()?;
                let providers = Providers::new(&settings, None, &context.clock)?;
                let carrier = Texting(recorder_at(context.outbox()?), providers);
                parlour_notify::build(context, Arc::new(carrier)).await
            })
        },
        ..parlour_notify::service()
    };
    let account = json!({
        "account_sid": "AC1", "auth_token": "secret", "from": "+15005550006", "status_callback": URL,
    });
    App::of(&[parlour_identity::service(), notify])
        .set("notify.dispatch.poll_ms", 50)
        .set("notify.rules_ms", 0)
        .set("notify.email.order", Vec::<String>::new())
        .set("notify.sms.order", ["main"])
        .set("notify.sms.providers.main.twilio", account)
}

/// What Twilio would post of a delivery: the query, the form, and the signature with a token.
struct Posted {
    query: String,
    form: String,
    signature: String,
}

fn report(delivery: &Value, status: &str, code: Option<&str>, token: &str) -> Posted {
    let query = format!("v=1&delivery_id={}", delivery.as_str().unwrap());
    let mut fields = vec![
        ("MessageSid".to_owned(), "SM1".to_owned()),
        ("MessageStatus".to_owned(), status.to_owned()),
    ];
    fields.extend(code.map(|code| ("ErrorCode".to_owned(), code.to_owned())));
    let url = URL.replace("v=1", &query);
    let pairs = fields.iter().map(|(name, value)| format!("{name}={value}"));
    Posted {
        form: pairs.collect::<Vec<_>>().join("&"),
        signature: sign(&token.into(), &url, &fields),
        query,
    }
}

async fn post(app: &App, posted: &Posted) -> Answer {
    app.post(&format!("{PATH}?{}", posted.query))
        .header("x-twilio-signature", &posted.signature)
        .body("application/x-www-form-urlencoded", posted.form.clone())
        .await
}

/// A text message that a provider took: the notification, and its delivery as an admin sees it.
async fn texted(app: &App, admin: &Person, ana: &Person) -> (Value, Value) {
    let body =
        json!({ "user_ids": [ana.id], "type": "note", "title": "T", "message": "M", "channels": ["sms"] });
    let answer = app.by(admin).post("/api/notifications/send").json(body).await;
    let id = answer.expect(201).data()["notifications"][0]["id"].clone();
    let sent = eventually(async || {
        let sms = delivery(app, admin, &id, "sms").await;
        if sms["status"] == "sent" {
            Ok(sms)
        } else {
            Err(sms)
        }
    })
    .await;
    (id, sent)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_signed_report_says_that_a_text_arrived_and_the_first_one_counts() {
    let (clock, hands) = Clock::manual(Utc::now());
    let app = texting().clock(clock).start().await;
    let (admin, ana) = (app.person("admin").await, known(&app, "client").await);
    let (id, sent) = texted(&app, &admin, &ana).await;
    let of = |status: &str, code: Option<&str>| report(&sent["id"], status, code, "secret");

    // On its way: nothing new.
    post(&app, &of("sent", None)).await.expect(200);
    assert_eq!(delivery(&app, &admin, &id, "sms").await, sent);

    let arrived = of("delivered", None);
    post(&app, &arrived).await.expect(200);
    let told = delivery(&app, &admin, &id, "sms").await;
    assert_eq!(
        (&told["status"], &told["provider_id"], &told["error"]),
        (&json!("delivered"), &json!("SM1"), &sent["error"])
    );
    assert!(told["delivered_at"].is_string(), "{told}");

    // Twilio posts again, and what comes late from the carrier changes nothing either.
    hands.advance(Duration::minutes(1));
    for again in [&arrived, &of("read", None), &of("undelivered", Some("30003"))] {
        post(&app, again).await.expect(200);
        assert_eq!(delivery(&app, &admin, &id, "sms").await, told);
    }
    assert_eq!(recorder(&app).of("note").len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_report_that_a_text_never_arrives_says_why() {
    let app = texting().start().await;
    let (admin, ana) = (app.person("admin").await, known(&app, "client").await);
    for (status, code, reason, words) in [
        ("undelivered", Some("30005"), "bad_address", "Twilio: error 30005"),
        (
            "failed",
            None,
            "permanent",
            "Twilio could not hand it over (permanent)",
        ),
    ] {
        let (id, sent) = texted(&app, &admin, &ana).await;
        post(&app, &report(&sent["id"], status, code, "secret"))
            .await
            .expect(200);
        let told = delivery(&app, &admin, &id, "sms").await;
        assert_eq!(
            (
                &told["status"],
                &told["reason"],
                &told["error"],
                &told["delivered_at"]
            ),
            (&json!("failed"), &json!(reason), &json!(words), &Value::Null)
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_report_that_twilio_did_not_sign_is_refused_and_one_of_nothing_known_changes_nothing() {
    let app = texting().start().await;
    let (admin, ana) = (app.person("admin").await, known(&app, "client").await);
    let (id, sent) = texted(&app, &admin, &ana).await;
    let (other, other_sent) = texted(&app, &admin, &ana).await;
    let right = || report(&sent["id"], "delivered", None, "secret");

    let guessed = report(&sent["id"], "delivered", None, "guess");
    let garbled = Posted {
        signature: "not base64!".to_owned(),
        ..right()
    };
    let moved = Posted {
        query: report(&other_sent["id"], "delivered", None, "secret").query,
        ..right()
    };
    let changed = Posted {
        form: right().form.replace("delivered", "failed"),
        ..right()
    };
    for wrong in [guessed, garbled, moved, changed] {
        post(&app, &wrong)
            .await
            .expect_error(403, "INSUFFICIENT_PERMISSIONS");
    }
    let unsigned = app
        .post(&format!("{PATH}?{}", right().query))
        .body("application/x-www-form-urlencoded", right().form)
        .await;
    unsigned.expect_error(403, "INSUFFICIENT_PERMISSIONS");

    let unknown = json!(uuid::Uuid::now_v7());
    post(&app, &report(&unknown, "delivered", None, "secret"))
        .await
        .expect(200);
    assert_eq!(delivery(&app, &admin, &id, "sms").await, sent);
    assert_eq!(delivery(&app, &admin, &other, "sms").await, other_sent);
    post(&app, &right()).await.expect(200);
    assert_eq!(delivery(&app, &admin, &id, "sms").await["status"], "delivered");
    assert_eq!(delivery(&app, &admin, &other, "sms").await, other_sent);
}
