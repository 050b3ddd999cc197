//! What somebody tries with orders.

use serde_json::json;
use uuid::Uuid;

use crate::support::{Stage, offer};

#[tokio::test(flavor = "multi_thread")]
async fn services_that_cannot_be_ordered() {
    let stage = Stage::set().await;
    let inactive = offer(&stage.app, &stage.admin, json!({ "active": false })).await;
    for service in [inactive, Uuid::now_v7()] {
        let body = json!({ "service_id": service });
        let answer = stage.app.by(&stage.client).post("/api/orders").json(body).await;
        let details = answer.expect_error(400, "VALIDATION_ERROR").json()["details"].clone();
        assert_eq!(
            details,
            json!(["service_id: is not a service that can be ordered"])
        );
    }
    for preferred in [stage.client.id, stage.monitor.id, Uuid::now_v7()] {
        let body = json!({ "service_id": stage.service, "preferred_reader_id": preferred });
        let answer = stage.app.by(&stage.client).post("/api/orders").json(body).await;
        let details = answer.expect_error(400, "VALIDATION_ERROR").json()["details"].to_string();
        assert!(details.contains("preferred_reader_id"), "{details}");
    }
    assert_eq!(stage.count("SELECT count(*) FROM orders.orders").await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn texts_have_a_length_in_characters() {
    let stage = Stage::set().await;
    let me = stage.app.by(&stage.client);
    let place = |notes: String| {
        me.post("/api/orders")
            .json(json!({ "service_id": stage.service, "notes": notes }))
    };
    place("x".repeat(100 * 1024))
        .await
        .expect_error(400, "VALIDATION_ERROR");
    place("🌙".repeat(5001))
        .await
        .expect_error(400, "VALIDATION_ERROR");
    place("🌙".repeat(5000)).await.expect(201);
    place("null \u{0}".to_owned())
        .await
        .expect_error(400, "VALIDATION_ERROR");
    let details = json!({ "service_id": stage.service, "details": { "a": "x".repeat(10_000) } });
    me.post("/api/orders")
        .json(details)
        .await
        .expect_error(400, "VALIDATION_ERROR");
    let order = stage.submitted().await;
    for reason in [
        json!(""),
        json!(" \n"),
        json!("x".repeat(2001)),
        json!(null),
        json!(7),
    ] {
        let body = json!({ "reason": reason });
        stage
            .act(&stage.monitor, order, "reject", body)
            .await
            .expect_error(400, "VALIDATION_ERROR");
    }
    stage
        .act(&stage.monitor, order, "reject", json!({}))
        .await
        .expect_error(400, "VALIDATION_ERROR");
    let order = stage.delivered().await;
    for rating in [json!(0), json!(6), json!(4.5), json!("5"), json!(null)] {
        let body = json!({ "rating": rating });
        stage
            .act(&stage.client, order, "review", body)
            .await
            .expect_error(400, "VALIDATION_ERROR");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_result_has_something_in_it_and_only_clean_files_of_its_reader() {
    let stage = Stage::set().await;
    let order = stage.assigned().await;
    for empty in [
        json!({}),
        json!({ "text": "  " }),
        json!({ "text": "", "media_ids": [] }),
    ] {
        stage
            .act(&stage.reader, order, "result", empty)
            .await
            .expect_error(400, "VALIDATION_ERROR");
    }
    let [mine, foreign, infected, deleted, unknown] = std::array::from_fn(|_| Uuid::now_v7());
    let other = Uuid::now_v7();
    let me = stage.reader.id;
    stage
        .sql(&format!(
            "INSERT INTO orders.files (id, owner_id, clean, deleted) VALUES
               ('{mine}', '{me}', true, false), ('{foreign}', '{other}', true, false),
               ('{infected}', '{me}', false, false), ('{deleted}', '{me}', true, true)"
        ))
        .await;
    for wrong in [foreign, infected, deleted, unknown] {
        let body = json!({ "text": "x", "media_ids": [mine, wrong] });
        let answer = stage.act(&stage.reader, order, "result", body).await;
        let details = answer.expect_error(400, "VALIDATION_ERROR").json()["details"].clone();
        assert_eq!(details, json!(["media_ids[1]: is not a clean file of yours"]));
    }
    let twice = json!({ "media_ids": [mine, mine] });
    stage
        .act(&stage.reader, order, "result", twice)
        .await
        .expect_error(400, "VALIDATION_ERROR");
    let many: Vec<Uuid> = (0..21).map(|_| Uuid::now_v7()).collect();
    let many = json!({ "media_ids": many });
    stage
        .act(&stage.reader, order, "result", many)
        .await
        .expect_error(400, "VALIDATION_ERROR");
    let fine = json!({ "media_ids": [mine] });
    stage.act(&stage.reader, order, "result", fine).await.expect(200);
    assert_eq!(
        stage.look(&stage.monitor, order).await["result"]["media_ids"],
        json!([mine])
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_result_on_another_readers_order_finds_nothing() {
    let stage = Stage::set().await;
    let order = stage.assigned().await;
    let stranger = stage.another_reader("Rob", &["tarot"]).await;
    let body = json!({ "text": "mine now" });
    stage
        .act(&stranger, order, "result", body)
        .await
        .expect_error(404, "RESOURCE_NOT_FOUND");
    assert_eq!(stage.look(&stage.reader, order).await["status"], "assigned");
    assert_eq!(stage.count("SELECT count(*) FROM orders.results").await, 0);
}
