//! `/api/orders…`, one order's way.

use parlour_contracts::orders::v1::{
    OrderApproved, OrderAssigned, OrderCancelled, OrderCreated, OrderDelivered, OrderRated, OrderRejected,
    OrderSubmitted,
};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::{Stage, id, offer};

#[tokio::test(flavor = "multi_thread")]
async fn an_order_goes_all_the_way() {
    let stage = Stage::set().await;
    let (app, client) = (&stage.app, &stage.client);
    let details = json!({ "birth_date": "1990-05-01", "question": "متى؟ 🌙" });
    let body = json!({ "service_id": stage.service, "notes": "About my cat", "details": details });
    let answer = app.by(client).post("/api/orders").json(body).await;
    let order = answer.expect(201).data()["order"].clone();
    assert_eq!(
        (&order["status"], &order["payment_status"]),
        (&json!("pending"), &json!("unpaid"))
    );
    assert_eq!(
        (&order["price"], &order["currency"]),
        (&json!(2500), &json!("EUR"))
    );
    assert_eq!(order["next_actions"], json!(["cancel"]));
    assert_eq!(
        (&order["version"], &order["number"]),
        (&json!(1), &json!("R-000001"))
    );
    assert_eq!(order["client"]["display_name"], "Cleo");
    assert_eq!(
        (&order["service"]["type"], &order["service"]["kind"]),
        (&json!("tarot"), &json!("tarot"))
    );
    let order = id(&order);
    let assigned = stage.assign(order, &stage.reader).await.expect(200).data();
    assert_eq!(assigned["order"]["reader"]["display_name"], "Rae");
    assert_eq!(
        stage.look(&stage.reader, order).await["next_actions"],
        json!(["result"])
    );
    let submitted = stage.submit(order, "Black cat.").await.expect(200).data();
    assert_eq!(submitted["order"]["revision"], 1);
    let reject = json!({ "reason": "Too short" });
    stage
        .act(&stage.monitor, order, "reject", reject)
        .await
        .expect(200);
    stage.submit(order, "The black cat is fine.").await.expect(200);
    let approved = stage.approve(order).await.expect(200).data();
    assert_eq!(approved["order"]["status"], "delivered");
    let review = json!({ "rating": 4, "comment": "She came back" });
    stage
        .act(client, order, "review", review.clone())
        .await
        .expect(200);
    let again = stage.act(client, order, "review", review).await;
    again.expect_error(409, "INVALID_STATE");

    seen_by_the_client(&stage, order, &details).await;
    told_everything(&stage, order).await;
}

async fn seen_by_the_client(stage: &Stage, order: Uuid, details: &Value) {
    let seen = stage.look(&stage.client, order).await;
    assert_eq!(
        (&seen["notes"], &seen["details"]),
        (&json!("About my cat"), details)
    );
    assert_eq!(
        (&seen["result"]["text"], &seen["result"]["revision"]),
        (&json!("The black cat is fine."), &json!(2))
    );
    assert_eq!(
        (&seen["review"]["rating"], &seen["next_actions"]),
        (&json!(4), &json!([]))
    );
    assert_eq!(seen["reader_rating"], json!({ "average": 4.0, "count": 1 }));
    let history = seen["history"].as_array().unwrap();
    let steps: Vec<&str> = history
        .iter()
        .map(|step| step["action"].as_str().unwrap())
        .collect();
    assert_eq!(
        steps,
        [
            "create", "assign", "result", "reject", "result", "approve", "review"
        ]
    );
    assert_eq!(
        (&history[3]["from"], &history[3]["to"]),
        (&json!("submitted"), &json!("assigned"))
    );
    assert_eq!(history[1]["actor"]["display_name"], "Ada");
}

async fn told_everything(stage: &Stage, order: Uuid) {
    let (app, order) = (&stage.app, order.to_string());
    let created: Vec<OrderCreated> = app.published("orders").await;
    assert_eq!((created.len(), created[0].price_minor), (1, 2500));
    let assigned: Vec<OrderAssigned> = app.published("orders").await;
    assert_eq!(assigned[0].reader_id, stage.reader.id.to_string());
    assert_eq!(
        (
            assigned[0].actor_id.clone(),
            assigned[0].former_reader_id.as_str()
        ),
        (stage.admin.id.to_string(), "")
    );
    assert_eq!(app.published::<OrderSubmitted>("orders").await[1].revision, 2);
    assert_eq!(app.published::<OrderRejected>("orders").await[0].revision, 1);
    assert_eq!(app.published::<OrderApproved>("orders").await[0].revision, 2);
    assert_eq!(app.published::<OrderDelivered>("orders").await[0].order_id, order);
    assert_eq!(app.published::<OrderRated>("orders").await[0].rating, 4);
    let in_order = "SELECT count(*) FROM orders.outbox a JOIN orders.outbox d USING (aggregate)
                    WHERE a.type = 'orders.order.approved' AND d.type = 'orders.order.delivered'
                      AND d.version = a.version + 1 AND d.seq > a.seq";
    assert_eq!(stage.count(in_order).await, 1);
    let audited = "SELECT count(*) FROM orders.outbox WHERE type = 'orders.audit.recorded'
                   AND aggregate LIKE 'audit:order:%'";
    assert_eq!(stage.count(audited).await, 7);
}

#[tokio::test(flavor = "multi_thread")]
async fn reassigning_says_so_and_takes_the_order_away() {
    let stage = Stage::set().await;
    let order = stage.assigned().await;
    let other = stage.another_reader("Ravi", &[]).await;
    let refused = stage.assign(order, &other).await;
    let details = refused.expect_error(409, "INVALID_STATE").json()["details"].clone();
    assert_eq!(details, json!(["status: assigned"]));
    let again = json!({ "reader_id": other.id, "reassign": true });
    let moved = stage
        .act(&stage.admin, order, "assign", again.clone())
        .await
        .expect(200)
        .data();
    assert_eq!(moved["order"]["reader"]["display_name"], "Ravi");
    let same = stage.act(&stage.admin, order, "assign", again).await;
    same.expect_error(400, "VALIDATION_ERROR");
    let path = format!("/api/orders/{order}");
    stage
        .app
        .by(&stage.reader)
        .get(&path)
        .await
        .expect_error(404, "RESOURCE_NOT_FOUND");
    stage
        .submit(order, "Late")
        .await
        .expect_error(404, "RESOURCE_NOT_FOUND");
    let told: Vec<OrderAssigned> = stage.app.published("orders").await;
    assert_eq!(told[1].former_reader_id, stage.reader.id.to_string());
}

#[tokio::test(flavor = "multi_thread")]
async fn only_an_active_reader_who_is_not_the_client_is_assigned() {
    let stage = Stage::set().await;
    let order = stage.ordered().await;
    let blocked = stage.another_reader("Bo", &["tarot"]).await;
    stage
        .sql(&format!(
            "INSERT INTO orders.blocked_people VALUES ('{}')",
            blocked.id
        ))
        .await;
    let gone = stage.another_reader("Gus", &["tarot"]).await;
    stage
        .sql(&format!(
            "UPDATE orders.people SET status = 'blocked' WHERE id = '{}'",
            gone.id
        ))
        .await;
    for person in [&blocked, &gone, &stage.monitor, &stage.client] {
        let answer = stage.assign(order, person).await;
        let details = answer.expect_error(400, "VALIDATION_ERROR").json()["details"].to_string();
        assert!(details.contains("reader_id"), "{details}");
    }
    let nobody = json!({ "reader_id": Uuid::nil() });
    stage.act(&stage.admin, order, "assign", nobody).await.expect(400);
    assert_eq!(stage.look(&stage.admin, order).await["status"], "pending");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stale_version_is_refused_and_changes_nothing() {
    let stage = Stage::set().await;
    let order = stage.submitted().await;
    let version = stage.look(&stage.monitor, order).await["version"]
        .as_i64()
        .unwrap();
    let outdated = json!({ "expected_version": version - 1 });
    let answer = stage.act(&stage.monitor, order, "approve", outdated).await;
    let details = answer.expect_error(409, "CONFLICT").json()["details"].clone();
    assert_eq!(details, json!([format!("version: {version}")]));
    assert_eq!(stage.look(&stage.client, order).await["status"], "submitted");
    let known = json!({ "expected_version": version });
    stage
        .act(&stage.monitor, order, "approve", known)
        .await
        .expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn approving_and_cancelling_need_no_body() {
    let stage = Stage::set().await;
    let order = stage.submitted().await;
    let path = format!("/api/orders/{order}/approve");
    stage.app.by(&stage.monitor).post(&path).await.expect(200);
    let order = stage.ordered().await;
    let path = format!("/api/orders/{order}/cancel");
    stage.app.by(&stage.client).post(&path).await.expect(200);
    let told: Vec<OrderCancelled> = stage.app.published("orders").await;
    assert_eq!(
        (told[0].payment_status.as_str(), told[0].reader_id.as_str()),
        ("unpaid", "")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_makes_an_order_once() {
    let stage = Stage::set().await;
    let place = |key: &str, body: Value| {
        let me = stage.app.by(&stage.client);
        let (request, key) = (me.post("/api/orders"), key.to_owned());
        async move { request.json(body).idempotency_key(&key).await }
    };
    let body = json!({ "service_id": stage.service, "notes": "once" });
    let first = place("k1", body.clone()).await.expect(201).data();
    let again = place("k1", body.clone()).await;
    assert_eq!(again.expect(201).data(), first);
    assert_eq!(again.header("idempotency-replayed"), Some("true"));
    let other = json!({ "service_id": stage.service, "notes": "twice" });
    place("k1", other)
        .await
        .expect_error(409, "IDEMPOTENCY_KEY_REUSED");
    place("k2", body).await.expect(201);
    assert_eq!(stage.count("SELECT count(*) FROM orders.orders").await, 2);
    assert_eq!(stage.app.published::<OrderCreated>("orders").await.len(), 2);
    let order = id(&first["order"]);
    let cancel = format!("/api/orders/{order}/cancel");
    for _ in 0..2 {
        let request = stage.app.by(&stage.client).post(&cancel).json(json!({}));
        request.idempotency_key("k3").await.expect(200);
    }
    assert_eq!(stage.app.published::<OrderCancelled>("orders").await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_keeps_the_price_it_was_placed_at() {
    let stage = Stage::set().await;
    let order = stage.ordered().await;
    let path = format!("/api/services/{}", stage.service);
    let change = json!({ "price": 9900, "currency": "USD", "requires_payment": true });
    stage
        .app
        .by(&stage.admin)
        .put(&path)
        .json(change)
        .await
        .expect(200);
    let seen = stage.look(&stage.client, order).await;
    assert_eq!((&seen["price"], &seen["currency"]), (&json!(2500), &json!("EUR")));
    stage.assign(order, &stage.reader).await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn unpaid_orders_of_paid_services_wait() {
    let stage = Stage::set().await;
    let paid = offer(&stage.app, &stage.admin, json!({ "requires_payment": true })).await;
    let order = stage.ordered_by(&stage.client, paid).await;
    let answer = stage.assign(order, &stage.reader).await;
    let details = answer.expect_error(409, "INVALID_STATE").json()["details"].clone();
    assert_eq!(details, json!(["status: pending", "payment_status: unpaid"]));
    assert_eq!(
        stage.look(&stage.admin, order).await["next_actions"],
        json!(["cancel"])
    );
}
