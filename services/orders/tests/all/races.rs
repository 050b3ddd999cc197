//! Those who come at once: one wins, and everybody hears the truth.

use std::collections::BTreeMap;

use futures_util::future::join_all;
use parlour_contracts::orders::v1::{
    AppointmentBooked, OrderApproved, OrderAssigned, OrderCreated, OrderDelivered,
};
use parlour_testkit::{Answer, App};
use serde_json::json;

use crate::appointments::{bookable, next_monday};
use crate::services;
use crate::support::Stage;

/// How many answers there were of each kind.
fn counted(answers: &[Answer]) -> BTreeMap<(u16, String), usize> {
    let mut counted = BTreeMap::new();
    for answer in answers {
        *counted
            .entry((answer.status(), answer.code().unwrap_or_default()))
            .or_default() += 1;
    }
    counted
}

fn one_winner(of: usize, code: &str, won: u16) -> BTreeMap<(u16, String), usize> {
    BTreeMap::from([((won, String::new()), 1), ((409, code.to_owned()), of - 1)])
}

#[tokio::test(flavor = "multi_thread")]
async fn fifty_approvals_deliver_once() {
    let stage = Stage::of(App::of(&services()).replicas(2)).await;
    let order = stage.submitted().await;
    let path = format!("/api/orders/{order}/approve");
    let tries = (0..50).map(|n| {
        let client = stage.app.replica(n % 2).signed_in(&stage.monitor.token);
        let path = path.clone();
        async move { client.post(&path).json(json!({})).await }
    });
    let answers = join_all(tries).await;
    assert_eq!(counted(&answers), one_winner(50, "INVALID_STATE", 200));
    assert_eq!(stage.app.published::<OrderApproved>("orders").await.len(), 1);
    assert_eq!(stage.app.published::<OrderDelivered>("orders").await.len(), 1);
    let entries = "SELECT count(*) FROM orders.order_history WHERE action = 'approve'";
    assert_eq!(stage.count(entries).await, 1);
    let audited = "SELECT count(*) FROM orders.outbox WHERE type = 'orders.audit.recorded'
                   AND position('order.approve'::bytea in payload) > 0";
    assert_eq!(stage.count(audited).await, 1);
}

/// Under a key each is a transaction of its own, and its refusal is kept as well.
#[tokio::test(flavor = "multi_thread")]
async fn twenty_approvals_under_keys_deliver_once_and_say_the_same_again() {
    let stage = Stage::of(App::of(&services()).replicas(2)).await;
    let order = stage.submitted().await;
    let path = format!("/api/orders/{order}/approve");
    let approve = async |n: usize| {
        let client = stage.app.replica(n % 2).signed_in(&stage.monitor.token);
        let key = format!("approval {n}");
        client.post(&path).json(json!({})).idempotency_key(&key).await
    };
    let answers = join_all((0..20).map(&approve)).await;
    assert_eq!(counted(&answers), one_winner(20, "INVALID_STATE", 200));
    let again = join_all((0..20).map(&approve)).await;
    let statuses = |answers: &[Answer]| answers.iter().map(Answer::status).collect::<Vec<_>>();
    assert_eq!(statuses(&answers), statuses(&again));
    assert_eq!(stage.app.published::<OrderDelivered>("orders").await.len(), 1);
    assert_eq!(stage.look(&stage.admin, order).await["version"], 4);
}

/// An order has the price that its service has when it is placed, and its event tells the same.
#[tokio::test(flavor = "multi_thread")]
async fn orders_while_their_service_changes() {
    let stage = Stage::of(App::of(&services())).await;
    let path = format!("/api/services/{}", stage.service);
    let change = async {
        for price in 1..=20 {
            let admin = stage.app.by(&stage.admin);
            admin.put(&path).json(json!({ "price": price })).await.expect(200);
        }
    };
    let order = async {
        for _ in 0..20 {
            stage.ordered().await;
        }
    };
    futures_util::future::join(change, order).await;
    let told = stage.app.published::<OrderCreated>("orders").await;
    for event in &told {
        let (id, price) = (&event.order_id, event.price_minor);
        let same = format!("SELECT count(*) FROM orders.orders WHERE id = '{id}' AND price = {price}");
        assert_eq!(stage.count(&same).await, 1, "{event:?}");
    }
    assert_eq!(told.len(), 20);
    let changing = "SELECT count(*) FROM (SELECT price, lag(price) OVER (ORDER BY number) AS before FROM orders.orders) o
                    WHERE price < before AND before <= 20";
    assert_eq!(stage.count(changing).await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_admins_who_assign_at_once_one_wins() {
    let stage = Stage::of(App::of(&services()).replicas(2)).await;
    let other = stage.another_reader("Ravi", &[]).await;
    for _ in 0..5 {
        let order = stage.ordered().await;
        let path = format!("/api/orders/{order}/assign");
        let tries = [&stage.reader, &other]
            .into_iter()
            .enumerate()
            .map(|(n, reader)| {
                let client = stage.app.replica(n).signed_in(&stage.admin.token);
                let body = json!({ "reader_id": reader.id });
                let path = path.clone();
                async move { client.post(&path).json(body).await }
            });
        let answers = join_all(tries).await;
        assert_eq!(counted(&answers), one_winner(2, "INVALID_STATE", 200));
        let winner = answers.iter().find(|answer| answer.status() == 200).unwrap();
        let reader = winner.data()["order"]["reader"]["id"].clone();
        assert_eq!(stage.look(&stage.admin, order).await["reader"]["id"], reader);
    }
    assert_eq!(stage.app.published::<OrderAssigned>("orders").await.len(), 5);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_bookings_of_one_slot_make_one_appointment() {
    let stage = bookable(App::of(&services()).replicas(2)).await;
    let mut clients = Vec::new();
    for _ in 0..10 {
        clients.push(stage.app.person("client").await);
    }
    let start = next_monday(10);
    let tries = (0..100).map(|n| {
        let client = stage.app.replica(n % 2).signed_in(&clients[n % 10].token);
        // Half of them overlap the slot without being it.
        let start = start + chrono::Duration::minutes(if n % 4 < 2 { 0 } else { 30 });
        let body = json!({
            "counselor_id": stage.reader.id, "title": "Talk", "scheduled_date": start, "duration_minutes": 60,
        });
        async move { client.post("/chat/book-appointment/").json(body).await }
    });
    let answers = join_all(tries).await;
    assert_eq!(counted(&answers), one_winner(100, "SLOT_TAKEN", 201));
    assert_eq!(stage.count("SELECT count(*) FROM orders.appointments").await, 1);
    assert_eq!(stage.app.published::<AppointmentBooked>("orders").await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_key_at_once_makes_one_order() {
    let stage = Stage::of(App::of(&services()).replicas(2)).await;
    let tries = (0..20).map(|n| {
        let client = stage.app.replica(n % 2).signed_in(&stage.client.token);
        let body = json!({ "service_id": stage.service });
        async move {
            client
                .post("/api/orders")
                .json(body)
                .idempotency_key("same")
                .await
        }
    });
    let answers = join_all(tries).await;
    let made = answers.iter().filter(|answer| answer.status() == 201);
    let busy = answers
        .iter()
        .filter(|answer| answer.code().as_deref() == Some("IDEMPOTENCY_IN_PROGRESS"));
    assert_eq!(made.count() + busy.count(), 20);
    assert_eq!(stage.count("SELECT count(*) FROM orders.orders").await, 1);
}
