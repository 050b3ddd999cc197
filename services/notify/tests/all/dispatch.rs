//! Sending: retries, giving up, leases, dead addresses, limits.

use chrono::{Duration, Utc};
use parlour_chassis::Clock;
use parlour_contracts::notify::v1::DeliveryFailed;
use parlour_notify::channels::{Class, Refused};
use parlour_notify::operator;
use parlour_testkit::{App, Person, eventually, eventually_eq};
use serde_json::{Value, json};

use crate::support::{address, builder, delivery, known, number, quiet, recorder, refused, retried};

async fn mail(app: &App, by: &Person, to: &Person, fields: Value) -> Value {
    let mut body =
        json!({ "user_ids": [to.id], "type": "note", "title": "T", "message": "M", "channels": ["email"] });
    body.as_object_mut()
        .unwrap()
        .extend(fields.as_object().unwrap().clone());
    let data = app
        .by(by)
        .post("/api/notifications/send")
        .json(body)
        .await
        .expect(201)
        .data();
    data["notifications"][0]["id"].clone()
}

async fn becomes(app: &App, admin: &Person, id: &Value, channel: &str, status: &str) -> Value {
    eventually(async || {
        let found = delivery(app, admin, id, channel).await;
        if found["status"] == status {
            Ok(found)
        } else {
            Err(found)
        }
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mail_goes_where_identity_said_and_says_what_was_told() {
    let app = quiet().await;
    let (admin, ana) = (app.person("admin").await, known(&app, "client").await);
    let id = mail(
        &app,
        &admin,
        &ana,
        json!({ "data": { "order_id": "o1" }, "message": "Hello 🌙\n\nSecond" }),
    )
    .await;
    let mails = recorder(&app).eventually("note", 1).await;
    let mail = &mails[0];
    assert_eq!(address(mail), format!("{}@example.com", ana.id));
    assert_eq!(json!(mail.notification_id), id);
    assert_eq!(mail.data, json!({ "order_id": "o1", "notification_id": id }));
    assert_eq!(
        mail.content.url.as_deref().unwrap(),
        format!("http://127.0.0.1:5000/notifications/{}", id.as_str().unwrap())
    );
    assert!(mail.content.text.starts_with("Hello 🌙\n\nSecond"));
    let sent = becomes(&app, &admin, &id, "email", "sent").await;
    assert_eq!(
        (&sent["attempts"], &sent["provider_id"]),
        (&json!(1), &json!(mail.delivery_id.to_string()))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_due_goes_out_although_nobody_looks_for_it() {
    let hour = 3_600_000;
    let app = builder().set("notify.dispatch.poll_ms", hour).start().await;
    let (admin, ana) = (app.person("admin").await, known(&app, "client").await);
    // The first might still meet the look that comes with the start.
    for count in 1..=2 {
        mail(&app, &admin, &ana, json!({})).await;
        recorder(&app).eventually("note", count).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_transient_refusal_is_tried_again_with_the_same_key_until_it_works() {
    let (clock, hands) = Clock::manual(Utc::now());
    let app = builder().clock(clock.clone()).start().await;
    let (admin, ana) = (app.person("admin").await, known(&app, "client").await);
    let throttled = Refused {
        retry_after: Some(std::time::Duration::from_mins(5)),
        ..refused(Class::Throttled)
    };
    recorder(&app).refuse(vec![throttled, refused(Class::Transient)]);
    let id = mail(&app, &admin, &ana, json!({})).await;
    let first = retried(&app, &admin, &id, 1).await;
    assert_eq!(
        (&first["reason"], &first["error"]),
        (&json!("retry"), &json!("not today"))
    );
    hands.advance(Duration::seconds(10));
    let second = retried(&app, &admin, &id, 2).await;
    let at: chrono::DateTime<Utc> = second["not_before"].as_str().unwrap().parse().unwrap();
    assert!(
        at - clock.now() >= Duration::seconds(299),
        "the provider's own wish counts"
    );
    // Answers have milliseconds, the table microseconds.
    hands.set(at + Duration::milliseconds(1));
    let sent = becomes(&app, &admin, &id, "email", "sent").await;
    assert_eq!(
        sent["explanation"],
        "E-mail was chosen because the sender asked for it. It was sent by recorder at attempt 3."
    );
    assert_eq!(recorder(&app).of("note").len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_sent_is_given_up_told_and_can_be_driven_again() {
    let app = quiet().await;
    let (admin, ana) = (app.person("admin").await, known(&app, "client").await);
    recorder(&app).refuse(vec![refused(Class::Permanent)]);
    let id = mail(&app, &admin, &ana, json!({})).await;
    let failed = becomes(&app, &admin, &id, "email", "failed").await;
    assert_eq!(
        (&failed["reason"], &failed["error"]),
        (&json!("permanent"), &json!("not today"))
    );
    let told: Vec<DeliveryFailed> = app.published("notify").await;
    assert_eq!(
        (told[0].channel.as_str(), told[0].class.as_str()),
        ("email", "permanent")
    );
    let context = parlour_chassis::Context::offline("notify", app.layers().clone()).unwrap();
    let notify = operator::open(&context).unwrap();
    let dead = operator::failed(&notify, None, 10).await.unwrap();
    assert_eq!(dead.len(), 1);
    assert_eq!(
        operator::redrive(&notify, vec![dead[0].id], "tester")
            .await
            .unwrap(),
        1
    );
    becomes(&app, &admin, &id, "email", "sent").await;
    assert_eq!(
        operator::redrive(&notify, vec![dead[0].id], "tester")
            .await
            .unwrap(),
        0
    );
    assert!(operator::failed(&notify, None, 10).await.unwrap().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_that_a_provider_refuses_is_not_tried_again() {
    let app = quiet().await;
    let (admin, ana) = (app.person("admin").await, known(&app, "client").await);
    recorder(&app).refuse(vec![refused(Class::BadAddress)]);
    let id = mail(&app, &admin, &ana, json!({})).await;
    becomes(&app, &admin, &id, "email", "failed").await;
    let next = mail(&app, &admin, &ana, json!({})).await;
    assert_eq!(
        delivery(&app, &admin, &next, "email").await["reason"],
        "dead_address"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn each_device_is_a_way_of_its_own_and_a_dead_one_goes() {
    let app = quiet().await;
    let (admin, ana) = (app.person("admin").await, known(&app, "client").await);
    let push = "/api/notifications/push/subscriptions";
    let key = format!("BA{}", "A".repeat(85));
    let web = json!({ "endpoint": "https://push.example.com/x", "keys": { "p256dh": key, "auth": "A".repeat(22) } });
    app.by(&ana).post(push).json(&web).await.expect(201);
    let replaced = app.by(&ana).post(push).json(&web).await.expect(201).data();
    app.by(&ana)
        .post(push)
        .json(json!({ "token": "device-1" }))
        .await
        .expect(201);
    for wrong in [
        json!({}),
        json!({ "token": "a", "endpoint": "https://x.example" }),
        json!({ "endpoint": "http://push.example.com/", "keys": web["keys"] }),
        json!({ "endpoint": "https://push.example.com/" }),
        json!({ "endpoint": "https://push.example.com/", "keys": { "p256dh": "AAAA", "auth": "A" } }),
    ] {
        app.by(&ana)
            .post(push)
            .json(wrong)
            .await
            .expect_error(400, "VALIDATION_ERROR");
    }
    recorder(&app).refuse(vec![refused(Class::BadAddress)]);
    mail(&app, &admin, &ana, json!({ "channels": ["push"] })).await;
    let taken = recorder(&app).eventually("note", 1).await;
    assert!(["device-1", "https://push.example.com/x"].contains(&address(&taken[0]).as_str()));
    eventually_eq(1, async || {
        number(&app, "SELECT count(*) FROM notify.subscriptions").await
    })
    .await;
    let id = replaced["subscription"]["id"].as_str().unwrap();
    let gone = app.by(&ana).delete(&format!("{push}/{id}")).await.status();
    assert!([200, 404].contains(&gone), "it may have been the dead one");
    let eve = app.person("client").await;
    app.by(&eve)
        .delete(&format!("{push}/{id}"))
        .await
        .expect_error(404, "RESOURCE_NOT_FOUND");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_dead_process_had_claimed_another_one_sends() {
    let (clock, hands) = Clock::manual(Utc::now());
    let app = builder().clock(clock).start().await;
    let (admin, ana) = (app.person("admin").await, known(&app, "client").await);
    // As a process leaves it that was killed between claim and mark.
    let provider = recorder(&app);
    let closed = provider.gate.write().await;
    let id = mail(&app, &admin, &ana, json!({})).await;
    becomes(&app, &admin, &id, "email", "sending").await;
    assert!(recorder(&app).taken().is_empty());
    hands.advance(Duration::seconds(119));
    assert_eq!(
        delivery(&app, &admin, &id, "email").await["attempts"],
        1,
        "the lease holds"
    );
    hands.advance(Duration::seconds(2));
    eventually(async || delivery(&app, &admin, &id, "email").await["attempts"] == 2).await;
    drop(closed);
    becomes(&app, &admin, &id, "email", "sent").await;
    let taken = recorder(&app).of("note");
    assert!(
        taken.iter().all(|mail| mail.delivery_id == taken[0].delivery_id),
        "the provider gets one key"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn two_processes_send_each_message_once() {
    let app = builder().replicas(2).start().await;
    let (admin, ana) = (app.person("admin").await, known(&app, "client").await);
    for _ in 0..30 {
        mail(&app, &admin, &ana, json!({})).await;
    }
    let taken = recorder(&app).eventually("note", 30).await;
    let mut ids: Vec<_> = taken.iter().map(|mail| mail.delivery_id).collect();
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), 30);
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_gets_more_than_the_limit_but_for_emergencies() {
    let app = builder().set("notify.hourly.sms", 2).start().await;
    let (admin, ana) = (app.person("admin").await, known(&app, "client").await);
    for _ in 0..2 {
        let id = mail(&app, &admin, &ana, json!({ "channels": ["sms"] })).await;
        becomes(&app, &admin, &id, "sms", "sent").await;
    }
    let id = mail(&app, &admin, &ana, json!({ "channels": ["sms"] })).await;
    let skipped = becomes(&app, &admin, &id, "sms", "skipped").await;
    assert_eq!(skipped["reason"], "rate");
    let id = mail(&app, &admin, &ana, json!({ "priority": "emergency" })).await;
    becomes(&app, &admin, &id, "sms", "sent").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_expired_while_it_waited_is_skipped() {
    let (clock, hands) = Clock::manual(Utc::now());
    let app = builder().clock(clock.clone()).start().await;
    let (admin, ana) = (app.person("admin").await, known(&app, "client").await);
    recorder(&app).refuse(vec![refused(Class::Transient)]);
    let ends = (clock.now() + Duration::seconds(60)).to_rfc3339();
    let id = mail(&app, &admin, &ana, json!({ "expires_at": ends })).await;
    retried(&app, &admin, &id, 1).await;
    hands.advance(Duration::seconds(61));
    let skipped = becomes(&app, &admin, &id, "email", "skipped").await;
    assert_eq!(skipped["reason"], "expired");
}
