//! `/api/notifications/emergency…`, `/api/notifications/priority`

use chrono::{Duration, Utc};
use parlour_chassis::Clock;
use parlour_testkit::eventually_eq;
use serde_json::json;

use crate::support::{builder, deliveries, known, list, number, quiet, recorder};

#[tokio::test(flavor = "multi_thread")]
async fn an_emergency_is_repeated_until_it_is_acknowledged() {
    let (clock, hands) = Clock::manual(Utc::now());
    let app = builder().clock(clock).start().await;
    let (staff, admin, ana) = (
        app.person("monitor").await,
        app.person("admin").await,
        known(&app, "client").await,
    );
    let body = json!({ "user_ids": [ana.id], "title": "Leave the house", "message": "now" });
    let data = app
        .by(&staff)
        .post("/api/notifications/emergency")
        .json(body)
        .await
        .expect(201)
        .data();
    let id = &data["notifications"][0]["id"];
    let path = format!("/api/notifications/{}/read", id.as_str().unwrap());
    recorder(&app).eventually("emergency", 2).await;
    let active = app
        .by(&staff)
        .get("/api/notifications/emergency/active")
        .await
        .expect(200)
        .data();
    assert_eq!(active["emergencies"][0]["id"], *id);
    assert_eq!(
        (
            &active["emergencies"][0]["user_id"],
            &active["emergencies"][0]["repeats"]
        ),
        (&json!(ana.id), &json!(0))
    );
    app.run_job("notify", "repeat_emergencies").await;
    for (pause, round) in [(29, 0), (1, 1), (59, 1), (1, 2)] {
        hands.advance(Duration::seconds(pause));
        app.run_job("notify", "repeat_emergencies").await;
        app.run_job("notify", "repeat_emergencies").await;
        let told = 2 * (round + 1);
        recorder(&app).eventually("emergency", told).await;
    }
    let keys: std::collections::BTreeSet<_> = recorder(&app)
        .of("emergency")
        .iter()
        .map(|message| message.delivery_id)
        .collect();
    assert_eq!(keys.len(), 6, "a repetition is another message to the provider");
    let rounds = deliveries(&app, &admin, id).await;
    assert_eq!(rounds.iter().filter(|d| d["round"] == 2).count(), 3);
    app.by(&ana).put(&path).await.expect(200);
    hands.advance(Duration::hours(1));
    app.run_job("notify", "repeat_emergencies").await;
    assert_eq!(recorder(&app).of("emergency").len(), 6);
    let active = app
        .by(&staff)
        .get("/api/notifications/emergency/active")
        .await
        .expect(200)
        .data();
    assert_eq!(active["emergencies"], json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_emergency_that_nobody_hears_ends_some_day() {
    let (clock, hands) = Clock::manual(Utc::now());
    let app = builder().clock(clock).start().await;
    let (staff, ana) = (app.person("monitor").await, known(&app, "client").await);
    let body = json!({ "role": "client", "title": "T", "message": "M", "type": "drill" });
    app.by(&staff)
        .post("/api/notifications/emergency")
        .json(body)
        .await
        .expect(201);
    recorder(&app).eventually("drill", 2).await;
    hands.advance(Duration::minutes(1441));
    app.run_job("notify", "repeat_emergencies").await;
    app.run_job("notify", "expire_notifications").await;
    assert_eq!(recorder(&app).of("drill").len(), 2);
    assert!(list(&app, &ana).await.is_empty());
    eventually_eq(0, async || {
        number(
            &app,
            "SELECT count(*) FROM notify.notifications WHERE repeat_at IS NOT NULL",
        )
        .await
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_urgent_has_a_priority_of_its_own() {
    let app = quiet().await;
    let (staff, ana) = (app.person("support").await, known(&app, "client").await);
    let body = json!({ "user_ids": [ana.id], "title": "T", "message": "M", "priority": "low" });
    app.by(&staff)
        .post("/api/notifications/priority")
        .json(body)
        .await
        .expect(201);
    let seen = &list(&app, &ana).await[0];
    assert_eq!(
        (&seen["priority"], &seen["type"]),
        (&json!("high"), &json!("high"))
    );
    for wrong in [
        json!({ "title": "T", "message": "M" }),
        json!({ "title": "T", "message": "M", "role": "client", "user_ids": [ana.id] }),
        json!({ "title": "T", "message": "M", "role": "king" }),
    ] {
        app.by(&staff)
            .post("/api/notifications/emergency")
            .json(wrong)
            .await
            .expect_error(400, "VALIDATION_ERROR");
    }
}
