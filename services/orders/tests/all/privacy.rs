//! Who sees what, and what the database keeps.

use parlour_contracts::Role;
use parlour_db::{DbError, Scope, Tx};
use serde_json::{Value, json};

use crate::support::{Stage, known};

/// Nothing of the text may be anywhere in the answer.
fn never(value: &Value, secret: &str) {
    assert!(!value.to_string().contains(secret), "{value}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_client_sees_nothing_of_a_result_before_the_approval_and_then_all() {
    let stage = Stage::set().await;
    let order = stage.assigned().await;
    stage.submit(order, "SECRET-ONE").await.expect(200);
    let reject = json!({ "reason": "SECRET-REASON" });
    for rejected in [false, true] {
        if rejected {
            stage
                .act(&stage.monitor, order, "reject", reject.clone())
                .await
                .expect(200);
        }
        let seen = stage.look(&stage.client, order).await;
        assert_eq!(seen["result"], json!(null));
        never(&seen, "SECRET");
        for person in [&stage.reader, &stage.monitor, &stage.admin] {
            assert_eq!(stage.look(person, order).await["result"]["text"], "SECRET-ONE");
        }
    }
    assert!(
        stage
            .look(&stage.reader, order)
            .await
            .to_string()
            .contains("SECRET-REASON")
    );
    stage.submit(order, "SECRET-TWO").await.expect(200);
    stage.approve(order).await.expect(200);
    let seen = stage.look(&stage.client, order).await;
    assert_eq!(seen["result"]["text"], "SECRET-TWO");
    never(&seen, "SECRET-ONE");
    never(&seen, "SECRET-REASON");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_monitor_sees_no_result_of_their_own_order_early_and_approves_none() {
    let stage = Stage::set().await;
    let both = stage.app.person_with(&[Role::Client, Role::Monitor], &[]).await;
    known(&stage.app, both.id, "monitor", "Both", &[]).await;
    let order = stage.ordered_by(&both, stage.service).await;
    stage.assign(order, &stage.reader).await.expect(200);
    stage.submit(order, "SECRET").await.expect(200);
    let seen = stage.look(&both, order).await;
    never(&seen, "SECRET");
    assert_eq!(seen["next_actions"], json!([]));
    stage
        .act(&both, order, "approve", json!({}))
        .await
        .expect_error(403, "INSUFFICIENT_PERMISSIONS");
    stage.approve(order).await.expect(200);
    assert_eq!(stage.look(&both, order).await["result"]["text"], "SECRET");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancelled_order_keeps_its_result_from_the_client() {
    let stage = Stage::set().await;
    let order = stage.submitted().await;
    stage
        .act(&stage.client, order, "cancel", json!({}))
        .await
        .expect_error(409, "INVALID_STATE");
    stage
        .act(&stage.admin, order, "cancel", json!({ "reason": "Refund" }))
        .await
        .expect(200);
    assert_eq!(stage.look(&stage.client, order).await["result"], json!(null));
    assert_eq!(
        stage.look(&stage.admin, order).await["result"]["text"],
        "The cat is fine."
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn strangers_find_nothing() {
    let stage = Stage::set().await;
    let order = stage.delivered().await;
    let path = format!("/api/orders/{order}");
    for role in ["client", "reader", "guide", "support"] {
        let stranger = stage.app.person(role).await;
        stage
            .app
            .by(&stranger)
            .get(&path)
            .await
            .expect_error(404, "RESOURCE_NOT_FOUND");
    }
    stage
        .app
        .get(&path)
        .await
        .expect_error(401, "AUTHENTICATION_REQUIRED");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_people_wrote_is_sealed_and_stays_out_of_events() {
    let stage = Stage::set().await;
    let order = stage.submitted().await;
    stage
        .act(
            &stage.monitor,
            order,
            "reject",
            json!({ "reason": "The cat is grey" }),
        )
        .await
        .expect(200);
    stage.submit(order, "The cat is fine again.").await.expect(200);
    stage.approve(order).await.expect(200);
    stage
        .act(
            &stage.client,
            order,
            "review",
            json!({ "rating": 5, "comment": "Dear cat" }),
        )
        .await
        .expect(200);
    for table in ["orders", "results", "order_history", "outbox", "idempotency_keys"] {
        let sql = format!(
            "SELECT count(*) FROM orders.{table} t
             WHERE position('cat' in lower(convert_from(convert_to(t::text, 'UTF8'), 'UTF8'))) > 0
                OR position(encode('cat', 'hex') in t::text) > 0"
        );
        assert_eq!(stage.count(&sql).await, 0, "{table}");
    }
}

/// Whatever a handler forgets, the database does not show one person's rows to another.
#[tokio::test(flavor = "multi_thread")]
async fn row_level_security_holds_for_the_services_own_role() {
    let stage = Stage::set().await;
    stage.delivered().await;
    let count = |scope: Scope, table: &'static str| {
        let db = stage.app.database().db("orders");
        async move {
            db.read(scope, async move |tx: &mut Tx| -> Result<i64, DbError> {
                use diesel_async::RunQueryDsl as _;
                let sql = format!("(SELECT count(*) FROM {table})");
                let query = diesel::select(diesel::dsl::sql::<diesel::sql_types::BigInt>(&sql));
                Ok(query.get_result(tx).await?)
            })
            .await
            .unwrap()
        }
    };
    for (table, rows) in [("orders", 1), ("results", 1), ("order_history", 3)] {
        for (scope, sees) in [
            (Scope::Person(stage.client.id), rows),
            (Scope::Person(stage.reader.id), rows),
            (Scope::Person(stage.monitor.id), 0),
            (Scope::Nobody, 0),
            (Scope::Service, rows),
        ] {
            assert_eq!(count(scope, table).await, sees, "{table} {scope:?}");
        }
    }
}
