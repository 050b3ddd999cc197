//! Orders and the conversations about them, through the real broker.

use chrono::{TimeDelta, Utc};
use parlour_chassis::Clock;
use parlour_contracts::chat::v1::{SessionCreated, SessionEnded};
use parlour_contracts::orders::v1::{OrderAssigned, OrderCancelled, OrderCreated, OrderDelivered};
use parlour_testkit::{App, Person, eventually, eventually_eq};
use serde_json::json;
use uuid::Uuid;

use crate::services;
use crate::support::{Stage, id};

fn assigned(stage: &Stage, order: Uuid, reader: &Person, former: Option<&Person>) -> OrderAssigned {
    OrderAssigned {
        order_id: order.to_string(),
        client_id: stage.client.id.to_string(),
        reader_id: reader.id.to_string(),
        former_reader_id: former.map_or_else(String::new, |former| former.id.to_string()),
        service_kind: "tarot".to_owned(),
        service_name: "Three cards".to_owned(),
        ..OrderAssigned::default()
    }
}

async fn session_of(stage: &Stage, by: &Person, order: Uuid) -> Option<Uuid> {
    let path = format!("/api/chat/sessions?status=all&booking_id={order}");
    let list = stage.app.by(by).get(&path).await.expect(200).data();
    list["sessions"].as_array().unwrap().first().map(id)
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_that_gets_a_reader_gets_one_conversation() {
    let stage = Stage::of(App::of(&services()).with_vhost()).await;
    let (order, other) = (Uuid::now_v7(), stage.another("reader", "Rex").await);
    let aggregate = format!("order:{order}");
    let created = OrderCreated {
        order_id: order.to_string(),
        client_id: stage.client.id.to_string(),
        service_kind: "tarot".to_owned(),
        service_name: "Three cards".to_owned(),
        ..OrderCreated::default()
    };
    stage.tell(aggregate.clone(), created).await;
    let ask = json!({ "session_type": "booking", "booking_id": order });
    eventually(async || stage.open(&stage.client, ask.clone()).await.status() == 409).await;
    stage
        .tell(aggregate.clone(), assigned(&stage, order, &stage.reader, None))
        .await;
    eventually(async || session_of(&stage, &stage.reader, order).await.is_some()).await;
    let session = session_of(&stage, &stage.client, order).await.unwrap();
    let again = stage.open(&stage.client, ask.clone()).await.expect(200).data();
    assert_eq!(id(&again), session);
    assert_eq!(
        again["bookings"]["services"],
        json!({ "name": "Three cards", "type": "tarot" })
    );
    assert_eq!(again["bookings"]["status"], "assigned");
    assert_eq!(again["bookings"]["profiles"]["first_name"], "Cleo");
    stage
        .open(&other, ask)
        .await
        .expect_error(404, "RESOURCE_NOT_FOUND");
    stage.said(&stage.client, session, "hello Rae").await;
    // Another reader takes over, and the former one is out.
    stage
        .tell(
            aggregate.clone(),
            assigned(&stage, order, &other, Some(&stage.reader)),
        )
        .await;
    eventually(async || session_of(&stage, &other, order).await == Some(session)).await;
    assert_eq!(stage.contents(&other, session).await, ["hello Rae"]);
    assert_eq!(session_of(&stage, &stage.reader, order).await, None);
    stage
        .say(&stage.reader, session, "x")
        .await
        .expect_error(403, "CHAT_ACCESS_DENIED");
    assert_eq!(stage.app.published::<SessionCreated>("chat").await.len(), 1);
    // And back again.
    stage
        .tell(
            aggregate.clone(),
            assigned(&stage, order, &stage.reader, Some(&other)),
        )
        .await;
    eventually(async || session_of(&stage, &stage.reader, order).await == Some(session)).await;
    stage
        .say(&other, session, "x")
        .await
        .expect_error(403, "CHAT_ACCESS_DENIED");
    let cancelled = OrderCancelled {
        order_id: order.to_string(),
        client_id: stage.client.id.to_string(),
        ..OrderCancelled::default()
    };
    stage.tell(aggregate, cancelled).await;
    eventually(async || stage.app.published::<SessionEnded>("chat").await.len() == 1).await;
    stage
        .say(&stage.client, session, "x")
        .await
        .expect_error(409, "SESSION_INACTIVE");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_delivered_order_can_be_talked_about_for_two_days() {
    let (clock, hands) = Clock::manual(Utc::now());
    let stage = Stage::of(App::of(&services()).with_vhost().clock(clock)).await;
    let order = Uuid::now_v7();
    let aggregate = format!("order:{order}");
    stage
        .tell(aggregate.clone(), assigned(&stage, order, &stage.reader, None))
        .await;
    let delivered = OrderDelivered {
        order_id: order.to_string(),
        client_id: stage.client.id.to_string(),
        ..OrderDelivered::default()
    };
    stage.tell(aggregate, delivered).await;
    let set = "SELECT count(*) FROM chat.sessions WHERE ends_at IS NOT NULL";
    eventually_eq(1, async || stage.count(set).await).await;
    let session = session_of(&stage, &stage.client, order).await.unwrap();
    stage.app.run_job("chat", "end_sessions").await;
    stage.said(&stage.client, session, "thank you").await;
    hands.advance(TimeDelta::hours(49));
    stage.app.run_job("chat", "end_sessions").await;
    let ended = "SELECT count(*) FROM chat.sessions WHERE status = 'ended'";
    assert_eq!(stage.count(ended).await, 1);
    assert_eq!(stage.app.published::<SessionEnded>("chat").await.len(), 1);
}
