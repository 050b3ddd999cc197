//! Items of low priority and one type within a window become one.

use chrono::{Duration, Utc};
use parlour_chassis::Clock;
use parlour_notify::channels::Class;
use parlour_testkit::{App, Person, eventually};
use serde_json::{Value, json};

use crate::support::{builder, delivery, known, number, recorder, refused, retried};

async fn rated(app: &App, by: &Person, to: &Person, title: &str) -> Value {
    let body = json!({
        "user_ids": [to.id], "type": "order_rated", "title": title, "message": "five stars", "priority": "low",
        "channels": ["email", "socket"],
    });
    let data = app
        .by(by)
        .post("/api/notifications/send")
        .json(body)
        .await
        .expect(201)
        .data();
    data["notifications"][0]["id"].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_window_is_one_mail_and_the_next_one_another() {
    let (clock, hands) = Clock::manual(Utc::now());
    let app = builder().clock(clock).start().await;
    let (admin, ana, bob) = (
        app.person("admin").await,
        known(&app, "reader").await,
        known(&app, "reader").await,
    );
    let first = rated(&app, &admin, &ana, "Order 1 <b>").await;
    hands.advance(Duration::minutes(59));
    let second = rated(&app, &admin, &ana, "Order 2 🌙").await;
    rated(&app, &admin, &bob, "Order 3").await;
    for id in [&first, &second] {
        let email = delivery(&app, &admin, id, "email").await;
        assert_eq!(
            (&email["status"], &email["reason"]),
            (&json!("queued"), &json!("digest"))
        );
    }
    hands.advance(Duration::minutes(1));
    let mails = recorder(&app).eventually("order_rated", 1).await;
    assert_eq!(mails[0].content.subject, "2 new notifications");
    let text = &mails[0].content.text;
    assert!(
        text.contains("Order 1 <b>") && text.contains("Order 2 🌙") && !text.contains("Order 3"),
        "{text}"
    );
    assert!(
        mails[0]
            .content
            .html
            .as_deref()
            .unwrap()
            .contains("Order 1 &lt;b&gt;")
    );
    for id in [&first, &second] {
        let sent = async || delivery(&app, &admin, id, "email").await["status"] == "sent";
        eventually(sent).await;
    }
    rated(&app, &admin, &ana, "Order 4").await;
    hands.advance(Duration::minutes(60));
    let mails = recorder(&app).eventually("order_rated", 3).await;
    let subjects: Vec<&str> = mails.iter().map(|mail| mail.content.subject.as_str()).collect();
    assert!(
        subjects.contains(&"Order 3") && subjects.contains(&"Order 4"),
        "one alone is no digest: {subjects:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_digest_that_failed_is_given_up_as_one_and_does_not_keep_the_next_from_opening() {
    let (clock, hands) = Clock::manual(Utc::now());
    let app = builder().clock(clock).start().await;
    let (admin, ana) = (app.person("admin").await, known(&app, "reader").await);
    recorder(&app).refuse(vec![refused(Class::Permanent), refused(Class::Transient)]);
    let first = rated(&app, &admin, &ana, "1").await;
    let second = rated(&app, &admin, &ana, "2").await;
    hands.advance(Duration::minutes(60));
    retried(&app, &admin, &first, 1).await;
    let third = rated(&app, &admin, &ana, "3").await;
    hands.advance(Duration::minutes(1));
    for id in [&first, &second] {
        let failed = async || delivery(&app, &admin, id, "email").await["status"] == "failed";
        eventually(failed).await;
    }
    hands.advance(Duration::minutes(60));
    recorder(&app).eventually("order_rated", 1).await;
    let sent = async || delivery(&app, &admin, &third, "email").await["status"] == "sent";
    eventually(sent).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn many_at_the_same_time_are_one() {
    let (clock, hands) = Clock::manual(Utc::now());
    let app = builder().clock(clock).replicas(2).start().await;
    let (admin, ana) = (app.person("admin").await, known(&app, "reader").await);
    let mut tasks = tokio::task::JoinSet::new();
    for index in 0..12 {
        let by = app.replica(index % 2).signed_in(&admin.token).from(admin.address);
        let body = json!({
            "user_ids": [ana.id], "type": "order_rated", "title": "T", "message": "M", "priority": "low",
            "channels": ["email"],
        });
        tasks.spawn(async move {
            by.post("/api/notifications/send")
                .json(body)
                .await
                .expect(201)
                .status()
        });
    }
    assert_eq!(tasks.join_all().await.len(), 12);
    let digests = "SELECT count(DISTINCT digest_id) FROM notify.deliveries WHERE channel = 'email'";
    assert_eq!(number(&app, digests).await, 1);
    hands.advance(Duration::hours(1));
    let mails = recorder(&app).eventually("order_rated", 1).await;
    assert_eq!(mails[0].content.subject, "12 new notifications");
}
