//! What happens by the clock.

use chrono::{DateTime, Duration, Utc};
use parlour_chassis::{Clock, Hands};
use parlour_contracts::orders::v1::{
    AppointmentCancelled, AppointmentCompleted, AppointmentDue, OrderAssigned, OrderOverdue,
};
use parlour_testkit::App;
use serde_json::json;
use uuid::Uuid;

use crate::appointments::{bookable, monday_after};
use crate::services;
use crate::support::{Stage, id, offer};

/// Times are kept to the microsecond.
fn manual() -> (Clock, Hands, DateTime<Utc>) {
    let now = DateTime::from_timestamp(Utc::now().timestamp(), 0).unwrap();
    let (clock, hands) = Clock::manual(now);
    (clock, hands, now)
}

async fn overdue(stage: &Stage) -> Vec<(String, String)> {
    stage.app.run_job("orders", "tell_overdue").await;
    let told: Vec<OrderOverdue> = stage.app.published("orders").await;
    told.into_iter()
        .map(|event| (event.order_id, event.waits_for))
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn each_wait_that_is_too_long_is_told_once() {
    let (clock, hands, now) = manual();
    let builder = App::of(&services()).clock(clock).set("orders.review_minutes", 30);
    let stage = Stage::of(builder).await;
    let order = stage.ordered().await;
    hands.advance(Duration::minutes(59));
    assert!(overdue(&stage).await.is_empty());
    hands.advance(Duration::minutes(1));
    let waits = |what: &str| (order.to_string(), what.to_owned());
    assert_eq!(overdue(&stage).await, [waits("assignment")]);
    assert_eq!(overdue(&stage).await.len(), 1, "once");
    stage.assign(order, &stage.reader).await.expect(200);
    hands.advance(Duration::hours(47));
    assert_eq!(overdue(&stage).await.len(), 1);
    hands.advance(Duration::hours(1));
    assert_eq!(overdue(&stage).await[1], waits("result"));
    stage.submit(order, "Late").await.expect(200);
    hands.advance(Duration::minutes(30));
    assert_eq!(overdue(&stage).await[2], waits("review"));
    stage.approve(order).await.expect(200);
    hands.advance(Duration::days(300));
    assert_eq!(overdue(&stage).await.len(), 3);
    let told: Vec<OrderOverdue> = stage.app.published("orders").await;
    assert_eq!(told[0].since_ms, now.timestamp_millis());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_services_own_figures_count_and_unpaid_orders_are_the_clients_turn() {
    let (clock, hands, _) = manual();
    let stage = Stage::of(App::of(&services()).clock(clock)).await;
    let quick = offer(&stage.app, &stage.admin, json!({ "assignment_minutes": 5 })).await;
    let paid = offer(&stage.app, &stage.admin, json!({ "requires_payment": true })).await;
    let order = stage.ordered_by(&stage.client, quick).await;
    stage.ordered_by(&stage.client, paid).await;
    hands.advance(Duration::minutes(5));
    assert_eq!(
        overdue(&stage).await,
        [(order.to_string(), "assignment".to_owned())]
    );
    hands.advance(Duration::days(30));
    assert_eq!(overdue(&stage).await.len(), 1);
}

async fn readers_of(stage: &Stage) -> Vec<String> {
    stage.app.run_job("orders", "assign_orders").await;
    let told: Vec<OrderAssigned> = stage.app.published("orders").await;
    told.into_iter().map(|event| event.reader_id).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_platform_assigns_fairly() {
    let (clock, hands, _) = manual();
    let stage = Stage::of(App::of(&services()).clock(clock)).await;
    let second = stage.another_reader("Second", &["tarot", "palm"]).await;
    stage.another_reader("Palm", &["palm"]).await;
    let blocked = stage.another_reader("Blocked", &["tarot"]).await;
    stage
        .sql(&format!(
            "INSERT INTO orders.blocked_people VALUES ('{}')",
            blocked.id
        ))
        .await;
    let (first, second) = (stage.reader.id.to_string(), second.id.to_string());
    for _ in 0..4 {
        stage.ordered().await;
        hands.advance(Duration::seconds(1));
    }
    let readers = readers_of(&stage).await;
    assert_eq!(readers.len(), 4);
    for reader in [&first, &second] {
        assert_eq!(readers.iter().filter(|id| *id == reader).count(), 2);
    }
    // With as many open orders, it is the turn of who has waited longest.
    let longest = if readers[3] == first { &second } else { &first };
    stage.ordered().await;
    hands.advance(Duration::seconds(1));
    assert_eq!(&readers_of(&stage).await[4], longest);
    // Who is asked for comes first, whatever they have to do.
    let body = json!({ "service_id": stage.service, "preferred_reader_id": longest });
    stage
        .app
        .by(&stage.client)
        .post("/api/orders")
        .json(body)
        .await
        .expect(201);
    assert_eq!(&readers_of(&stage).await[5], longest);
    // What nobody offers waits.
    let dream = offer(&stage.app, &stage.admin, json!({ "kind": "dream" })).await;
    let order = stage.ordered_by(&stage.client, dream).await;
    assert_eq!(readers_of(&stage).await.len(), 6);
    assert_eq!(stage.look(&stage.client, order).await["status"], "pending");
    let seen = stage
        .app
        .by(&stage.admin)
        .get("/api/orders?status=assigned&limit=1")
        .await
        .data();
    let path = format!("/api/orders/{}", id(&seen["orders"][0]));
    let history = stage.app.by(&stage.admin).get(&path).await.data()["order"]["history"].clone();
    assert_eq!(history[1]["actor"], json!(null), "nobody did it");
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_assigned_where_that_is_off_or_not_paid() {
    let stage = Stage::of(App::of(&services()).set("orders.auto_assign", false)).await;
    stage.ordered().await;
    assert!(readers_of(&stage).await.is_empty());
    let stage = Stage::set().await;
    let paid = offer(&stage.app, &stage.admin, json!({ "requires_payment": true })).await;
    stage.ordered_by(&stage.client, paid).await;
    assert!(readers_of(&stage).await.is_empty());
}

async fn booked(stage: &Stage, start: DateTime<Utc>, confirm: bool) -> Uuid {
    let body = json!({
        "counselor_id": stage.reader.id, "title": "T", "scheduled_date": start, "duration_minutes": 60,
    });
    let answer = stage
        .app
        .by(&stage.client)
        .post("/chat/book-appointment/")
        .json(body)
        .await;
    let appointment = id(&answer.expect(201).json());
    if confirm {
        let path = format!("/chat/appointments/{appointment}/confirm/");
        stage.app.by(&stage.reader).post(&path).await.expect(200);
    }
    appointment
}

async fn reminders(stage: &Stage) -> Vec<(String, i32)> {
    stage.app.run_job("orders", "remind_of_appointments").await;
    let told: Vec<AppointmentDue> = stage.app.published("orders").await;
    told.into_iter()
        .map(|event| (event.appointment_id, event.minutes_before))
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn reminders_come_a_day_and_a_quarter_of_an_hour_before() {
    let (clock, hands, now) = manual();
    let stage = bookable(App::of(&services()).clock(clock)).await;
    let start = monday_after(now, 10);
    let appointment = booked(&stage, start, true).await.to_string();
    booked(&stage, start + Duration::hours(2), false).await;
    hands.set(start - Duration::minutes(1441));
    assert!(reminders(&stage).await.is_empty());
    hands.set(start - Duration::minutes(1440));
    let day = (appointment.clone(), 1440);
    assert_eq!(reminders(&stage).await, std::slice::from_ref(&day));
    hands.set(start - Duration::minutes(16));
    assert_eq!(reminders(&stage).await, std::slice::from_ref(&day));
    hands.set(start - Duration::minutes(15));
    assert_eq!(reminders(&stage).await, [day.clone(), (appointment, 15)]);
    hands.set(start);
    assert_eq!(
        reminders(&stage).await.len(),
        2,
        "not when it has begun, and not of pending ones"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_booked_late_or_missed_is_told_of_truthfully() {
    let (clock, hands, now) = manual();
    let stage = bookable(App::of(&services()).clock(clock)).await;
    let start = monday_after(now, 10);
    let before = booked(&stage, start, true).await.to_string();
    hands.set(start - Duration::hours(3));
    let late = booked(&stage, start + Duration::hours(1), true).await.to_string();
    // The job stood still for a day: the reminder of a day before is told all the same, as it is not a quarter yet.
    assert_eq!(reminders(&stage).await, [(before.clone(), 1440)]);
    hands.set(start - Duration::minutes(10));
    assert_eq!(reminders(&stage).await[1], (before, 15));
    hands.set(start + Duration::minutes(50));
    assert_eq!(reminders(&stage).await[2], (late, 15));
    assert_eq!(reminders(&stage).await.len(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_over_ends() {
    let (clock, hands, now) = manual();
    let stage = bookable(App::of(&services()).clock(clock)).await;
    let start = monday_after(now, 10);
    let held = booked(&stage, start, true).await;
    let forgotten = booked(&stage, start + Duration::hours(1), false).await;
    let missed = booked(&stage, start + Duration::hours(2), true).await;
    hands.set(start + Duration::minutes(60));
    stage.app.run_job("orders", "end_appointments").await;
    let cancelled: Vec<AppointmentCancelled> = stage.app.published("orders").await;
    assert_eq!(cancelled.len(), 1);
    assert_eq!(
        (
            cancelled[0].appointment_id.clone(),
            cancelled[0].actor_id.as_str()
        ),
        (forgotten.to_string(), "")
    );
    assert!(
        stage
            .app
            .published::<AppointmentCompleted>("orders")
            .await
            .is_empty(),
        "the counsellor may still speak"
    );
    hands.set(start + Duration::minutes(125));
    let path = format!("/chat/appointments/{missed}/cancel/");
    let body = json!({ "no_show": true });
    let answer = stage.app.by(&stage.reader).post(&path).json(body).await;
    assert_eq!(answer.expect(200).json()["status"], "no_show");
    hands.advance(Duration::hours(10));
    stage.app.run_job("orders", "end_appointments").await;
    let completed: Vec<AppointmentCompleted> = stage.app.published("orders").await;
    let completed: Vec<&str> = completed
        .iter()
        .map(|event| event.appointment_id.as_str())
        .collect();
    assert_eq!(completed, [held.to_string()]);
}
