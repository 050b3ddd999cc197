//! `/api/notifications/settings`: layers, quiet hours, and the reason for every decision.

use chrono::{DateTime, Duration, Utc};
use parlour_chassis::Clock;
use parlour_testkit::{App, Person};
use serde_json::{Value, json};

use crate::support::{builder, contact, deliveries, delivery, introduce_as, known, quiet, recorder};

async fn set(app: &App, person: &Person, change: Value) -> Value {
    app.by(person)
        .put("/api/notifications/settings")
        .json(change)
        .await
        .expect(200)
        .data()
}

async fn send(app: &App, by: &Person, to: &Person, kind: &str, priority: &str) -> Value {
    let body =
        json!({ "user_ids": [to.id], "type": kind, "title": "T", "message": "M", "priority": priority });
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
async fn settings_start_from_the_defaults_and_merge() {
    let app = quiet().await;
    let ana = app.person("client").await;
    introduce_as(
        &app,
        ana.id,
        &["client"],
        json!({ "locale": "ar", "time_zone": "Asia/Riyadh" }),
    )
    .await;
    let before = app
        .by(&ana)
        .get("/api/notifications/settings")
        .await
        .expect(200)
        .data();
    assert_eq!(
        before["preferences"]["order_delivered"],
        json!({ "socket": true, "email": true, "sms": false, "push": true })
    );
    assert_eq!(before["preferences"]["order_rated"]["email"], false);
    assert_eq!(
        before["quiet_hours"],
        json!({ "enabled": false, "start": "22:00", "end": "07:00", "time_zone": "Asia/Riyadh", "days": null })
    );
    assert_eq!(before["locale"], "ar");
    assert_eq!(before["digest"], json!({ "enabled": true, "window_minutes": 60 }));
    let change = json!({ "preferences": { "order_delivered": { "email": false } }, "quiet_hours": { "enabled": true } });
    set(&app, &ana, change).await;
    let change = json!({
        "preferences": { "order_delivered": { "sms": true }, "all": { "push": false } },
        "quiet_hours": { "start": "23:30", "days": ["sunday", "monday", "sunday"] }, "locale": "en-GB",
        "digest": { "window_minutes": 15 },
    });
    let after = set(&app, &ana, change).await;
    assert_eq!(
        after["preferences"]["order_delivered"],
        json!({ "socket": true, "email": false, "sms": true, "push": false })
    );
    assert_eq!(
        after["quiet_hours"],
        json!({ "enabled": true, "start": "23:30", "end": "07:00", "time_zone": "Asia/Riyadh", "days": ["monday", "sunday"] })
    );
    assert_eq!(
        (&after["locale"], &after["digest"]["enabled"]),
        (&json!("en-GB"), &json!(true))
    );
    let back = set(
        &app,
        &ana,
        json!({ "preferences": { "order_delivered": { "email": null, "sms": null } } }),
    )
    .await;
    assert_eq!(back["preferences"]["order_delivered"]["email"], true);
    assert_eq!(app.by(&ana).get("/api/notifications/settings").await.data(), back);
    for (wrong, field) in [
        (json!({ "preferences": { "x y": {} } }), "preferences.x y"),
        (
            json!({ "preferences": { "x": { "fax": true } } }),
            "preferences.x.fax",
        ),
        (
            json!({ "preferences": { "x": { "sms": "yes" } } }),
            "preferences.x.sms",
        ),
        (
            json!({ "quiet_hours": { "start": "24:00" } }),
            "quiet_hours.start",
        ),
        (json!({ "quiet_hours": { "start": "07:00" } }), "quiet_hours.end"),
        (
            json!({ "quiet_hours": { "time_zone": "Mars/Olympus" } }),
            "quiet_hours.time_zone",
        ),
        (
            json!({ "quiet_hours": { "days": ["someday"] } }),
            "quiet_hours.days[0]",
        ),
        (json!({ "locale": "a b" }), "locale"),
        (
            json!({ "digest": { "window_minutes": 0 } }),
            "digest.window_minutes",
        ),
    ] {
        let answer = app.by(&ana).put("/api/notifications/settings").json(wrong).await;
        let details = answer.expect_error(400, "VALIDATION_ERROR").json()["details"].to_string();
        assert!(details.contains(field), "{field} in {details}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_channel_has_an_explanation() {
    let app = quiet().await;
    let (admin, ana) = (app.person("admin").await, known(&app, "client").await);
    set(
        &app,
        &ana,
        json!({ "preferences": { "order_delivered": { "email": false, "sms": true } } }),
    )
    .await;
    let id = send(&app, &admin, &ana, "order_delivered", "normal").await;
    recorder(&app).eventually("order_delivered", 1).await;
    let email = delivery(&app, &admin, &id, "email").await;
    assert_eq!(
        (&email["status"], &email["reason"]),
        (&json!("skipped"), &json!("preference"))
    );
    assert_eq!(
        email["explanation"],
        "E-mail was left out: the person switched it off for this type."
    );
    let push = delivery(&app, &admin, &id, "push").await;
    assert_eq!(
        push["explanation"],
        "Push was left out: the person has no registered browser or device."
    );
    let sent = async || {
        let sms = delivery(&app, &admin, &id, "sms").await;
        (sms["status"] == "sent").then_some(sms)
    };
    let sms = parlour_testkit::eventually(sent).await;
    assert_eq!(
        sms["explanation"],
        "SMS was chosen because the person switched it on for this type. It was sent by recorder."
    );
    assert_eq!(sms["provider"], "recorder");
    assert_eq!(deliveries(&app, &admin, &id).await.len(), 4);
    let other = send(&app, &admin, &ana, "order_rated", "normal").await;
    let email = delivery(&app, &admin, &other, "email").await;
    assert_eq!(email["reason"], "not_chosen");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_that_nobody_confirmed_gets_nothing() {
    let app = quiet().await;
    let (admin, ana) = (app.person("admin").await, known(&app, "client").await);
    let sql = "UPDATE notify.contacts SET email_verified = false, phone_sealed = NULL";
    app.database().admin().await.execute(sql, &[]).await.unwrap();
    let body = json!({ "user_ids": [ana.id], "type": "note", "title": "T", "message": "M", "channels": ["email", "sms"] });
    let data = app
        .by(&admin)
        .post("/api/notifications/send")
        .json(body)
        .await
        .expect(201)
        .data();
    let id = &data["notifications"][0]["id"];
    assert_eq!(delivery(&app, &admin, id, "email").await["reason"], "unverified");
    assert_eq!(delivery(&app, &admin, id, "sms").await["reason"], "no_address");
    assert_eq!(
        delivery(&app, &admin, id, "push").await["reason"],
        "not_requested"
    );
}

/// When an e-mail that is told at `told` leaves, in a zone with quiet hours from ten to seven.
async fn leaves(zone: &str, told: &str) -> (DateTime<Utc>, App) {
    let (clock, hands) = Clock::manual(Utc::now());
    let app = builder().clock(clock.clone()).start().await;
    let (admin, ana) = (app.person("admin").await, app.person("client").await);
    introduce_as(&app, ana.id, &["client"], json!({ "time_zone": zone })).await;
    contact(&app, ana.id).await;
    set(&app, &ana, json!({ "quiet_hours": { "enabled": true } })).await;
    hands.set(told.parse().unwrap());
    let id = send(&app, &admin, &ana, "order_delivered", "high").await;
    let email = delivery(&app, &admin, &id, "email").await;
    assert_eq!(
        (&email["status"], &email["reason"]),
        (&json!("queued"), &json!("quiet_hours")),
        "{zone} {told}"
    );
    let at: DateTime<Utc> = email["not_before"].as_str().unwrap().parse().unwrap();
    assert!(recorder(&app).of("order_delivered").is_empty());
    hands.set(at - Duration::seconds(1));
    assert!(recorder(&app).of("order_delivered").is_empty());
    hands.set(at + Duration::milliseconds(1));
    recorder(&app).eventually("order_delivered", 1).await;
    (at, app)
}

#[tokio::test(flavor = "multi_thread")]
async fn quiet_hours_end_in_the_morning_of_the_persons_clock_over_both_changes() {
    for (zone, told, morning) in [
        ("America/New_York", "2026-03-08T04:00:00Z", "2026-03-08T11:00:00Z"),
        ("America/New_York", "2026-11-01T04:00:00Z", "2026-11-01T12:00:00Z"),
        ("Europe/London", "2026-03-28T23:00:00Z", "2026-03-29T06:00:00Z"),
        ("Europe/London", "2026-10-24T23:00:00Z", "2026-10-25T07:00:00Z"),
        ("Asia/Riyadh", "2026-03-28T23:00:00Z", "2026-03-29T04:00:00Z"),
        ("Asia/Riyadh", "2026-10-24T23:00:00Z", "2026-10-25T04:00:00Z"),
    ] {
        let (at, _app) = leaves(zone, told).await;
        assert_eq!(at, morning.parse::<DateTime<Utc>>().unwrap(), "{zone} {told}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_read_while_it_waited_is_not_sent_and_an_emergency_does_not_wait() {
    let (clock, hands) = Clock::manual(Utc::now());
    let app = builder().clock(clock).start().await;
    let (admin, ana) = (app.person("admin").await, known(&app, "client").await);
    let hour = |offset: i64| (Utc::now() + Duration::hours(offset)).format("%H:%M").to_string();
    set(
        &app,
        &ana,
        json!({
            "quiet_hours": { "enabled": true, "start": hour(-1), "end": hour(1), "time_zone": "UTC" },
            "preferences": { "all": { "email": false, "sms": false, "push": false, "socket": false } },
        }),
    )
    .await;
    let id = send(&app, &admin, &ana, "alarm", "emergency").await;
    let taken = recorder(&app).eventually("alarm", 2).await;
    assert!(taken.iter().all(|message| message.expires_at.is_some()));
    assert_eq!(delivery(&app, &admin, &id, "email").await["attempts"], 1);
    set(
        &app,
        &ana,
        json!({ "preferences": { "order_delivered": { "email": true } } }),
    )
    .await;
    let id = send(&app, &admin, &ana, "order_delivered", "normal").await;
    app.by(&ana)
        .put(&format!("/api/notifications/{}/read", id.as_str().unwrap()))
        .await
        .expect(200);
    hands.advance(Duration::hours(2));
    let skipped = async || {
        let email = delivery(&app, &admin, &id, "email").await;
        (email["status"] == "skipped").then_some(email)
    };
    let email = parlour_testkit::eventually(skipped).await;
    assert_eq!(email["reason"], "read");
    assert!(recorder(&app).of("order_delivered").is_empty());
}
