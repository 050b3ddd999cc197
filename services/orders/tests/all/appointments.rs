//! SafeTalk's appointments.

use chrono::{DateTime, Datelike as _, Days, Duration, Utc};
use parlour_contracts::orders::v1::{AppointmentBooked, AppointmentCancelled, AppointmentConfirmed};
use parlour_testkit::{Answer, App, AppBuilder, Person};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::services;
use crate::support::{Stage, id};

/// A reader who works from nine to five in UTC.
pub(crate) async fn bookable(builder: AppBuilder) -> Stage {
    nine_to_five(Stage::of(builder).await).await
}

/// The same on a stage that is there.
pub(crate) async fn nine_to_five(stage: Stage) -> Stage {
    let days = ["monday", "tuesday", "wednesday", "thursday", "friday"];
    let weekly: Vec<Value> = days
        .iter()
        .map(|day| json!({ "day": day, "start": "09:00", "end": "17:00" }))
        .collect();
    let body = json!({ "time_zone": "UTC", "weekly": weekly });
    stage
        .app
        .by(&stage.reader)
        .put("/api/availability")
        .json(body)
        .await
        .expect(200);
    stage
}

/// This hour of the Monday after next.
pub(crate) fn next_monday(hour: u32) -> DateTime<Utc> {
    monday_after(Utc::now(), hour)
}

pub(crate) fn monday_after(now: DateTime<Utc>, hour: u32) -> DateTime<Utc> {
    let ahead = u64::from(14 - now.weekday().num_days_from_monday());
    let date = now.date_naive() + Days::new(ahead);
    date.and_hms_opt(hour, 0, 0).unwrap().and_utc()
}

pub(crate) async fn book(stage: &Stage, by: &Person, start: DateTime<Utc>) -> Answer {
    let body = json!({
        "counselor_id": stage.reader.id, "title": "Sleep", "description": "Again 🌙",
        "scheduled_date": start, "duration_minutes": 50,
    });
    stage.app.by(by).post("/chat/book-appointment/").json(body).await
}

pub(crate) async fn act(stage: &Stage, by: &Person, appointment: Uuid, action: &str, body: Value) -> Answer {
    let path = format!("/chat/appointments/{appointment}/{action}/");
    stage.app.by(by).post(&path).json(body).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_covers_a_body_that_nobody_reads() {
    let stage = bookable(App::of(&services())).await;
    let booked = book(&stage, &stage.client, next_monday(9))
        .await
        .expect(201)
        .json();
    let path = format!("/chat/appointments/{}/confirm/", id(&booked));
    let confirm = |body| {
        let request = stage.app.by(&stage.reader).post(&path);
        request.idempotency_key("once").json(body)
    };
    for _ in 0..2 {
        let answer = confirm(json!({ "sure": true })).await;
        assert_eq!(answer.expect(200).json()["status"], "confirmed");
    }
    confirm(json!({ "sure": false }))
        .await
        .expect_error(409, "IDEMPOTENCY_KEY_REUSED");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_appointment_is_booked_confirmed_and_listed() {
    let stage = bookable(App::of(&services())).await;
    let start = next_monday(9);
    let booked = book(&stage, &stage.client, start).await.expect(201).json();
    assert_eq!(
        (&booked["counselor"], &booked["counselor_id"]),
        (&json!("Rae"), &json!(stage.reader.id))
    );
    assert_eq!(
        (&booked["title"], &booked["description"]),
        (&json!("Sleep"), &json!("Again 🌙"))
    );
    let millis = start.to_rfc3339_opts(chrono::SecondsFormat::Millis, true);
    assert_eq!(
        (&booked["scheduled_date"], &booked["duration_minutes"]),
        (&json!(millis), &json!(50))
    );
    assert_eq!(booked["status"], "pending");
    let appointment = id(&booked);
    act(&stage, &stage.client, appointment, "confirm", json!({}))
        .await
        .expect(403);
    let path = format!("/chat/appointments/{appointment}/confirm/");
    let confirmed = stage.app.by(&stage.reader).post(&path).await.expect(200).json();
    assert_eq!(confirmed["status"], "confirmed");
    act(&stage, &stage.reader, appointment, "confirm", json!({}))
        .await
        .expect_error(409, "INVALID_STATE");
    for person in [&stage.client, &stage.reader] {
        let list = stage
            .app
            .by(person)
            .get("/chat/appointments")
            .await
            .expect(200)
            .json();
        assert_eq!(list["upcoming_appointments"][0]["status"], "confirmed");
        assert_eq!(list["past_appointments"], json!([]));
    }
    let nothing = stage
        .app
        .by(&stage.monitor)
        .get("/chat/appointments/")
        .await
        .json();
    assert_eq!(nothing["upcoming_appointments"], json!([]));
    let reason = json!({ "reason": "A cold" });
    act(&stage, &stage.client, appointment, "cancel", reason)
        .await
        .expect(200);
    let list = stage
        .app
        .by(&stage.client)
        .get("/chat/appointments/")
        .await
        .json();
    assert_eq!(
        (
            &list["upcoming_appointments"],
            &list["past_appointments"][0]["status"],
            &list["total_pages"]
        ),
        (&json!([]), &json!("cancelled"), &json!(1))
    );
    // Its time is free again.
    book(&stage, &stage.client, start).await.expect(201);
    assert_eq!(stage.app.published::<AppointmentBooked>("orders").await.len(), 2);
    assert_eq!(
        stage.app.published::<AppointmentConfirmed>("orders").await[0].duration_minutes,
        50
    );
    let cancelled: Vec<AppointmentCancelled> = stage.app.published("orders").await;
    assert_eq!(cancelled[0].actor_id, stage.client.id.to_string());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_booked_says_why() {
    let stage = bookable(App::of(&services())).await;
    let idle = stage.another_reader("Idle", &[]).await;
    let monday = next_monday(9);
    let attempt = |counselor: Uuid, start: DateTime<Utc>, minutes: i64| {
        let body = json!({
            "counselor_id": counselor, "title": "T", "scheduled_date": start, "duration_minutes": minutes,
        });
        let me = stage.app.by(&stage.client);
        async move { me.post("/chat/book-appointment/").json(body).await }
    };
    let reader = stage.reader.id;
    let beyond = monday_after(Utc::now() + Duration::days(100), 9);
    let unavailable = [
        (idle.id, monday, 60),
        (stage.monitor.id, monday, 60),
        (Uuid::now_v7(), monday, 60),
        (reader, monday - Duration::minutes(1), 60),
        (reader, monday + Duration::hours(8), 15),
        (reader, monday + Duration::minutes(451), 30),
        (reader, monday - Duration::days(1), 60),
        (reader, beyond, 60),
    ];
    for (counselor, start, minutes) in unavailable {
        attempt(counselor, start, minutes)
            .await
            .expect_error(409, "NOT_AVAILABLE");
    }
    for (start, minutes) in [
        (monday, 14),
        (monday, 481),
        (monday, -60),
        (Utc::now() - Duration::days(7), 60),
    ] {
        attempt(reader, start, minutes)
            .await
            .expect_error(400, "VALIDATION_ERROR");
    }
    for missing in [
        json!({}),
        json!({ "title": "T", "counselor_id": reader }),
        json!({ "title": " ", "counselor_id": reader, "scheduled_date": monday }),
        json!({ "title": "T", "counselor_id": "x", "scheduled_date": monday }),
        json!({ "title": "T", "counselor_id": reader, "scheduled_date": "tomorrow" }),
        json!({ "title": "T", "counselor_id": reader, "start": monday, "duration": 5000 }),
    ] {
        let answer = stage
            .app
            .by(&stage.client)
            .post("/chat/book-appointment/")
            .json(missing)
            .await;
        answer.expect_error(400, "VALIDATION_ERROR");
    }
    let me = stage.app.by(&stage.reader);
    let own = json!({ "title": "T", "counselor_id": reader, "scheduled_date": monday });
    me.post("/chat/book-appointment/")
        .json(own)
        .await
        .expect_error(400, "VALIDATION_ERROR");
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_in_two_places() {
    let stage = bookable(App::of(&services())).await;
    let start = next_monday(9);
    let other_client = stage.app.person("client").await;
    book(&stage, &stage.client, start).await.expect(201);
    let overlapping = start + Duration::minutes(20);
    book(&stage, &other_client, overlapping)
        .await
        .expect_error(409, "SLOT_TAKEN");
    book(&stage, &other_client, start + Duration::minutes(50))
        .await
        .expect(201);
    let second = stage.another_reader("Sana", &[]).await;
    let always: Vec<Value> = ["monday", "tuesday"]
        .iter()
        .map(|day| json!({ "day": day, "start": "00:00", "end": "24:00" }))
        .collect();
    let hours = json!({ "time_zone": "UTC", "weekly": always });
    stage
        .app
        .by(&second)
        .put("/api/availability")
        .json(hours)
        .await
        .expect(200);
    let body = json!({ "reader_id": second.id, "title": "T", "scheduled_at": overlapping, "duration": 30 });
    let answer = stage
        .app
        .by(&stage.client)
        .post("/chat/book-appointment/")
        .json(&body)
        .await;
    answer.expect_error(409, "CONFLICT");
    stage
        .app
        .by(&other_client)
        .post("/chat/book-appointment/")
        .json(&body)
        .await
        .expect(201);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_past_is_paged() {
    let stage = bookable(App::of(&services())).await;
    for hour in 9..14 {
        let booked = book(&stage, &stage.client, next_monday(hour))
            .await
            .expect(201)
            .json();
        act(&stage, &stage.client, id(&booked), "cancel", json!({}))
            .await
            .expect(200);
    }
    let page = |path: &str| stage.app.by(&stage.client).get(path);
    let last = page("/chat/appointments/?page=3&limit=2")
        .await
        .expect(200)
        .json();
    assert_eq!(last["past_appointments"].as_array().unwrap().len(), 1);
    assert_eq!(
        (
            &last["total_pages"],
            &last["current_page"],
            &last["has_next"],
            &last["has_previous"]
        ),
        (&json!(3), &json!(3), &json!(false), &json!(true))
    );
    page("/chat/appointments/?limit=101")
        .await
        .expect_error(400, "VALIDATION_ERROR");
}
