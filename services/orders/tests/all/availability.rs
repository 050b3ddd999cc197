//! `/api/availability…`

use chrono::Utc;
use parlour_chassis::Clock;
use parlour_testkit::App;
use serde_json::{Value, json};

use crate::services;
use crate::support::Stage;

async fn stage_at(now: &str) -> Stage {
    // Signed in today: who checks tokens asks the machine's clock.
    let (clock, hands) = Clock::manual(Utc::now());
    let stage = Stage::of(App::of(&services()).clock(clock)).await;
    hands.set(now.parse().unwrap());
    stage
}

fn every_day(start: &str, end: &str) -> Vec<Value> {
    [
        "monday",
        "tuesday",
        "wednesday",
        "thursday",
        "friday",
        "saturday",
        "sunday",
    ]
    .iter()
    .map(|day| json!({ "day": day, "start": start, "end": end }))
    .collect()
}

async fn put(stage: &Stage, body: Value) {
    stage
        .app
        .by(&stage.reader)
        .put("/api/availability")
        .json(body)
        .await
        .expect(200);
}

/// The starts of the free slots, without the seconds.
async fn slots(stage: &Stage, query: &str) -> Vec<String> {
    let path = format!("/api/availability/{}?{query}", stage.reader.id);
    let data = stage.app.by(&stage.client).get(&path).await.expect(200).data();
    let slots = data["slots"].as_array().unwrap();
    slots
        .iter()
        .map(|slot| slot["start"].as_str().unwrap()[..16].to_owned())
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn slots_move_with_the_clocks_of_new_york_and_london_and_not_of_riyadh() {
    let stage = stage_at("2026-03-01T00:00:00Z").await;
    let cases = [
        (
            "America/New_York",
            "from=2026-03-07&to=2026-03-08",
            ["2026-03-07T14:00", "2026-03-08T13:00"],
        ),
        (
            "Europe/London",
            "from=2026-03-28&to=2026-03-29",
            ["2026-03-28T09:00", "2026-03-29T08:00"],
        ),
        (
            "Asia/Riyadh",
            "from=2026-03-28&to=2026-03-29",
            ["2026-03-28T06:00", "2026-03-29T06:00"],
        ),
    ];
    for (zone, query, starts) in cases {
        put(
            &stage,
            json!({ "time_zone": zone, "weekly": every_day("09:00", "10:00") }),
        )
        .await;
        assert_eq!(slots(&stage, query).await, starts, "{zone}");
    }
    // The night in which an hour is skipped has one slot less than that in which it comes twice.
    put(&stage, json!({ "time_zone": "America/New_York", "weekly": every_day("00:00", "04:00"), "horizon_days": 366 }))
        .await;
    assert_eq!(slots(&stage, "from=2026-03-08&to=2026-03-08").await.len(), 3);
    assert_eq!(slots(&stage, "from=2026-03-09&to=2026-03-09").await.len(), 4);
    assert_eq!(slots(&stage, "from=2026-11-01&to=2026-11-01").await.len(), 5);
}

#[tokio::test(flavor = "multi_thread")]
async fn exceptions_bookings_the_past_and_the_horizon_are_left_out() {
    let stage = stage_at("2026-03-02T09:20:30Z").await;
    assert!(slots(&stage, "").await.is_empty(), "nobody without hours is free");
    put(
        &stage,
        json!({
            "time_zone": "UTC", "weekly": every_day("09:00", "12:00"), "horizon_days": 3,
            "exceptions": [
                { "date": "2026-03-03", "available": false },
                { "date": "2026-03-04", "available": false, "start": "10:00", "end": "11:00" },
                { "date": "2026-03-05", "available": true, "start": "20:00", "end": "22:00" },
            ],
        }),
    )
    .await;
    let body = json!({
        "counselor_id": stage.reader.id, "title": "T", "scheduled_date": "2026-03-04T09:00:00Z",
        "duration_minutes": 30,
    });
    stage
        .app
        .by(&stage.client)
        .post("/chat/book-appointment/")
        .json(body)
        .await
        .expect(201);
    let expected = [
        "2026-03-02T09:21",
        "2026-03-02T09:51",
        "2026-03-02T10:21",
        "2026-03-02T10:51",
        "2026-03-02T11:21",
        "2026-03-04T09:30",
        "2026-03-04T11:00",
        "2026-03-04T11:30",
    ];
    assert_eq!(
        slots(&stage, "from=2026-03-01&to=2026-03-09&duration_minutes=30").await,
        expected
    );
    put(
        &stage,
        json!({ "time_zone": "UTC", "weekly": [], "exceptions": [
        { "date": "2026-03-05", "available": true, "start": "20:00", "end": "22:00" } ] }),
    )
    .await;
    assert_eq!(slots(&stage, "").await, ["2026-03-05T20:00", "2026-03-05T21:00"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn impossible_hours_and_ranges_are_refused() {
    let stage = stage_at("2026-03-02T09:00:00Z").await;
    let day = |start: &str, end: &str| json!([{ "day": "monday", "start": start, "end": end }]);
    let wrong = [
        json!({ "time_zone": "Mars/Olympus", "weekly": [] }),
        json!({ "time_zone": "UTC" }),
        json!({ "time_zone": "UTC", "weekly": day("17:00", "09:00") }),
        json!({ "time_zone": "UTC", "weekly": day("09:00", "09:00") }),
        json!({ "time_zone": "UTC", "weekly": day("9:00", "10:00") }),
        json!({ "time_zone": "UTC", "weekly": day("09:00", "24:01") }),
        json!({ "time_zone": "UTC", "weekly": [{ "day": "someday", "start": "09:00", "end": "10:00" }] }),
        json!({ "time_zone": "UTC", "weekly": [], "exceptions": [{ "date": "2026-02-30", "available": false }] }),
        json!({ "time_zone": "UTC", "weekly": [], "exceptions": [{ "date": "2026-03-01", "available": true }] }),
        json!({ "time_zone": "UTC", "weekly": [], "horizon_days": 0 }),
        json!({ "time_zone": "UTC", "weekly": vec![json!({ "day": "monday", "start": "09:00", "end": "10:00" }); 71] }),
    ];
    for body in wrong {
        let answer = stage
            .app
            .by(&stage.reader)
            .put("/api/availability")
            .json(&body)
            .await;
        answer.expect_error(400, "VALIDATION_ERROR");
    }
    put(
        &stage,
        json!({ "time_zone": "UTC", "weekly": every_day("00:00", "24:00") }),
    )
    .await;
    let me = stage.app.by(&stage.client);
    for query in [
        "from=now",
        "to=2026-13-01",
        "from=2026-03-05&to=2026-03-03",
        "from=2026-03-02&to=2026-06-01",
        "duration_minutes=14",
        "duration_minutes=481",
    ] {
        let path = format!("/api/availability/{}?{query}", stage.reader.id);
        me.get(&path).await.expect_error(400, "VALIDATION_ERROR");
    }
    me.get("/api/availability/7")
        .await
        .expect_error(400, "VALIDATION_ERROR");
    let nobody = format!("/api/availability/{}", stage.client.id);
    me.get(&nobody).await.expect_error(404, "RESOURCE_NOT_FOUND");
}
