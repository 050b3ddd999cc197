//! `events/payments.rs`, through the real broker.

use parlour_contracts::billing::v1::{PaymentFailed, PaymentRefunded, PaymentSucceeded};
use parlour_contracts::orders::v1::{OrderAssigned, OrderCancelled};
use parlour_testkit::{App, eventually};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::services;
use crate::support::{Stage, offer};

/// A stage with the broker, and an order of a service that wants to be paid.
async fn stage() -> (Stage, Uuid) {
    let stage = Stage::with_broker(App::of(&services())).await;
    let service = offer(&stage.app, &stage.admin, json!({ "requires_payment": true })).await;
    let order = stage.ordered_by(&stage.client, service).await;
    (stage, order)
}

/// One payment of an order, as billing tells of it.
struct Payment<'s> {
    stage: &'s Stage,
    order: Uuid,
    id: Uuid,
}

impl<'s> Payment<'s> {
    fn new(stage: &'s Stage, order: Uuid) -> Self {
        let id = Uuid::now_v7();
        Self { stage, order, id }
    }

    fn aggregate(&self) -> String {
        format!("payment:{}", self.id)
    }

    async fn succeeds(&self, amount: i64, currency: &str, captured: bool) {
        let event = PaymentSucceeded {
            payment_id: self.id.to_string(),
            order_id: self.order.to_string(),
            payer_id: self.stage.client.id.to_string(),
            amount_minor: amount,
            currency: currency.to_owned(),
            captured,
        };
        self.stage.tell(self.aggregate(), event).await;
    }

    async fn fails(&self) {
        let event = PaymentFailed {
            payment_id: self.id.to_string(),
            order_id: self.order.to_string(),
            ..Default::default()
        };
        self.stage.tell(self.aggregate(), event).await;
    }

    async fn is_refunded(&self, amount: i64) {
        let event = PaymentRefunded {
            payment_id: self.id.to_string(),
            order_id: self.order.to_string(),
            amount_minor: amount,
            currency: "EUR".to_owned(),
            ..Default::default()
        };
        self.stage.tell(self.aggregate(), event).await;
    }
}

/// Waits until the last entry of the history is `action`, and answers the order.
async fn after(stage: &Stage, order: Uuid, action: &str) -> Value {
    eventually(async || {
        let seen = stage.look(&stage.admin, order).await;
        let history = seen["history"].as_array().unwrap();
        let found = history.iter().any(|entry| entry["action"] == action);
        found.then_some(seen)
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_waits_for_its_payment_and_goes_on_by_itself() {
    let (stage, order) = stage().await;
    let payment = Payment::new(&stage, order);
    payment.fails().await;
    let seen = after(&stage, order, "payment_failed").await;
    assert_eq!(
        (&seen["status"], &seen["payment_status"]),
        (&json!("pending"), &json!("unpaid"))
    );
    let payment = Payment::new(&stage, order);
    payment.succeeds(2500, "EUR", false).await;
    let seen = after(&stage, order, "assign").await;
    assert_eq!(
        (&seen["status"], &seen["payment_status"]),
        (&json!("assigned"), &json!("authorised"))
    );
    let history = seen["history"].as_array().unwrap();
    let authorised = history
        .iter()
        .find(|entry| entry["action"] == "payment_authorised")
        .unwrap();
    assert_eq!(
        (&authorised["from"], &authorised["to"]),
        (&json!("unpaid"), &json!("authorised"))
    );
    payment.succeeds(2500, "EUR", true).await;
    assert_eq!(
        after(&stage, order, "payment_captured").await["payment_status"],
        "paid"
    );
    stage
        .act(&stage.client, order, "cancel", json!({}))
        .await
        .expect(200);
    let cancelled: Vec<OrderCancelled> = stage.app.published("orders").await;
    assert_eq!(cancelled[0].payment_status, "paid");
    payment.is_refunded(2500).await;
    let seen = after(&stage, order, "payment_refunded").await;
    assert_eq!(
        (&seen["status"], &seen["payment_status"]),
        (&json!("cancelled"), &json!("refunded"))
    );
    assert_eq!(stage.app.published::<OrderAssigned>("orders").await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn too_little_is_not_enough_and_a_part_is_not_all() {
    let (stage, order) = stage().await;
    Payment::new(&stage, order).succeeds(2499, "EUR", true).await;
    let seen = after(&stage, order, "payment_insufficient").await;
    assert_eq!(
        (&seen["status"], &seen["payment_status"]),
        (&json!("pending"), &json!("unpaid"))
    );
    let payment = Payment::new(&stage, order);
    payment.succeeds(2500, "EUR", true).await;
    after(&stage, order, "assign").await;
    payment.is_refunded(500).await;
    let seen = after(&stage, order, "payment_refunded_in_part").await;
    assert_eq!(seen["payment_status"], "paid");
    payment.is_refunded(2000).await;
    assert_eq!(
        after(&stage, order, "payment_refunded").await["payment_status"],
        "refunded"
    );
    // Work that was begun goes on: whether it should is for people to say.
    assert_eq!(stage.look(&stage.admin, order).await["status"], "assigned");
}

#[tokio::test(flavor = "multi_thread")]
async fn news_for_no_order_and_of_no_order_pass() {
    let (stage, order) = stage().await;
    Payment::new(&stage, Uuid::now_v7())
        .succeeds(2500, "EUR", true)
        .await;
    let top_up = PaymentSucceeded {
        payment_id: Uuid::now_v7().to_string(),
        amount_minor: 2500,
        captured: true,
        ..Default::default()
    };
    stage.tell("payment:top-up".to_owned(), top_up).await;
    Payment::new(&stage, order).fails().await;
    after(&stage, order, "payment_failed").await;
    assert_eq!(stage.count("SELECT count(*) FROM orders.parked").await, 0);
}
