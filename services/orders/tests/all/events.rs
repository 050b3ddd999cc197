//! What other services tell, through the real broker.

use parlour_contracts::identity::v1::AccountDeleted;
use parlour_contracts::media::v1::{FileDeleted, FileInfected, FileReady, FileRestored};
use parlour_contracts::moderation::v1::{UserBlocked, UserUnblocked};
use parlour_contracts::ops::v1::PrivacyEraseRequested;
use parlour_contracts::orders::v1::{AppointmentCancelled, OrderAssigned, OrderCancelled};
use parlour_testkit::{App, eventually, eventually_eq};
use serde_json::json;
use uuid::Uuid;

use crate::appointments::{next_monday, nine_to_five};
use crate::services;
use crate::support::Stage;

#[tokio::test(flavor = "multi_thread")]
async fn a_new_order_is_assigned_by_one_of_the_replicas() {
    let stage = Stage::with_broker(App::of(&services()).replicas(2)).await;
    let mut orders = Vec::new();
    for _ in 0..6 {
        orders.push(stage.ordered().await);
    }
    for order in &orders {
        eventually(async || stage.look(&stage.client, *order).await["status"] == "assigned").await;
    }
    let told: Vec<OrderAssigned> = stage.app.published("orders").await;
    assert_eq!(told.len(), 6);
    assert!(told.iter().all(|event| event.actor_id.is_empty()));
}

#[tokio::test(flavor = "multi_thread")]
async fn identity_tells_who_a_reader_is() {
    let stage = Stage::with_broker(App::of(&services())).await;
    let reader = stage.app.person("reader").await;
    let profile = json!({ "display_name": "Nova", "specialities": ["coffee"] });
    stage
        .app
        .by(&reader)
        .put("/api/profile")
        .json(profile)
        .await
        .expect(200);
    let known = format!(
        "SELECT count(*) FROM orders.people WHERE id = '{}' AND display_name = 'Nova' AND specialities = '{{coffee}}'",
        reader.id
    );
    eventually_eq(1, async || stage.count(&known).await).await;
    let order = stage.ordered().await;
    eventually(async || stage.look(&stage.client, order).await["status"] == "assigned").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_blocked_reader_is_given_nothing_until_it_is_lifted() {
    let stage = Stage::with_broker(App::of(&services())).await;
    let (reader, account_id) = (stage.reader.id, stage.reader.id.to_string());
    let aggregate = format!("user:{reader}");
    let block = UserBlocked {
        account_id: account_id.clone(),
        ..Default::default()
    };
    stage.tell(aggregate.clone(), block).await;
    let blocked = "SELECT count(*) FROM orders.blocked_people";
    eventually_eq(1, async || stage.count(blocked).await).await;
    let order = stage.ordered().await;
    let assign = stage.assign(order, &stage.reader).await;
    assign.expect_error(400, "VALIDATION_ERROR");
    let unblock = UserUnblocked {
        account_id,
        ..Default::default()
    };
    stage.tell(aggregate, unblock).await;
    eventually_eq(0, async || stage.count(blocked).await).await;
    // The directory heard of the block from identity too, and of its end.
    let active = format!("SELECT count(*) FROM orders.people WHERE id = '{reader}' AND status = 'active'");
    eventually_eq(1, async || stage.count(&active).await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn only_what_media_found_clean_becomes_part_of_a_result() {
    let stage = Stage::with_broker(App::of(&services()).set("orders.auto_assign", false)).await;
    let order = stage.assigned().await;
    let file = Uuid::now_v7();
    let (aggregate, file_id, owner_id) = (
        format!("file:{file}"),
        file.to_string(),
        stage.reader.id.to_string(),
    );
    let body = json!({ "text": "See", "media_ids": [file] });
    let usable = "SELECT count(*) FROM orders.files WHERE clean AND NOT deleted";
    stage
        .act(&stage.reader, order, "result", body.clone())
        .await
        .expect(400);
    let ready = FileReady {
        file_id: file_id.clone(),
        owner_id: owner_id.clone(),
        ..Default::default()
    };
    stage.tell(aggregate.clone(), ready).await;
    eventually_eq(1, async || stage.count(usable).await).await;
    let (f, o) = (file_id.clone(), owner_id.clone());
    stage
        .tell(
            aggregate.clone(),
            FileDeleted {
                file_id: f,
                owner_id: o,
            },
        )
        .await;
    eventually_eq(0, async || stage.count(usable).await).await;
    stage
        .act(&stage.reader, order, "result", body.clone())
        .await
        .expect(400);
    let (f, o) = (file_id.clone(), owner_id.clone());
    stage
        .tell(
            aggregate.clone(),
            FileRestored {
                file_id: f,
                owner_id: o,
            },
        )
        .await;
    eventually_eq(1, async || stage.count(usable).await).await;
    stage
        .act(&stage.reader, order, "result", body.clone())
        .await
        .expect(200);
    stage.tell(aggregate, FileInfected { file_id, owner_id }).await;
    eventually_eq(0, async || stage.count(usable).await).await;
    let reject = json!({ "reason": "Look at the file" });
    stage
        .act(&stage.monitor, order, "reject", reject)
        .await
        .expect(200);
    stage.act(&stage.reader, order, "result", body).await.expect(400);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_erased_client_leaves_numbers_and_nothing_to_read() {
    let stage =
        nine_to_five(Stage::with_broker(App::of(&services()).set("orders.auto_assign", false)).await).await;
    let done = stage.delivered().await;
    stage
        .act(
            &stage.client,
            done,
            "review",
            json!({ "rating": 5, "comment": "Lovely" }),
        )
        .await
        .expect(200);
    let open = stage.submitted().await;
    let body = json!({
        "counselor_id": stage.reader.id, "title": "Talk", "scheduled_date": next_monday(9),
    });
    stage
        .app
        .by(&stage.client)
        .post("/chat/book-appointment/")
        .json(body)
        .await
        .expect(201);
    let account_id = stage.client.id.to_string();
    let erase = PrivacyEraseRequested {
        account_id: account_id.clone(),
        ..Default::default()
    };
    stage.tell(format!("erasure:{account_id}"), erase).await;
    eventually(async || stage.look(&stage.admin, open).await["status"] == "cancelled").await;
    for left in [
        "SELECT count(*) FROM orders.orders WHERE notes_sealed IS NOT NULL OR comment_sealed IS NOT NULL",
        "SELECT count(*) FROM orders.results",
        "SELECT count(*) FROM orders.order_history WHERE reason_sealed IS NOT NULL",
        "SELECT count(*) FROM orders.appointments WHERE subject_sealed IS NOT NULL OR status <> 'cancelled'",
    ] {
        assert_eq!(stage.count(left).await, 0, "{left}");
    }
    let seen = stage.look(&stage.admin, done).await;
    assert_eq!(
        (&seen["status"], &seen["result"]),
        (&json!("delivered"), &json!(null))
    );
    let cancelled: Vec<OrderCancelled> = stage.app.published("orders").await;
    assert_eq!((cancelled.len(), cancelled[0].actor_id.as_str()), (1, ""));
    assert_eq!(
        stage.app.published::<AppointmentCancelled>("orders").await.len(),
        1
    );
    // Identity says it as well; there is nothing left to do.
    let name = format!("SELECT count(*) FROM orders.people WHERE id = '{account_id}' AND display_name = ''");
    eventually_eq(1, async || stage.count(&name).await).await;
    assert_eq!(stage.app.published::<OrderCancelled>("orders").await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deleted_counsellor_can_no_longer_be_booked() {
    let stage = nine_to_five(Stage::with_broker(App::of(&services())).await).await;
    let body = json!({
        "counselor_id": stage.reader.id, "title": "Talk", "scheduled_date": next_monday(9),
    });
    let book = || {
        stage
            .app
            .by(&stage.client)
            .post("/chat/book-appointment/")
            .json(body.clone())
    };
    book().await.expect(201);
    let account_id = stage.reader.id.to_string();
    stage
        .tell(format!("account:{account_id}"), AccountDeleted { account_id })
        .await;
    eventually_eq(0, async || {
        stage.count("SELECT count(*) FROM orders.availability").await
    })
    .await;
    assert_eq!(
        stage.app.published::<AppointmentCancelled>("orders").await.len(),
        1
    );
    book().await.expect_error(409, "NOT_AVAILABLE");
}
