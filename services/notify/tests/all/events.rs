//! Events of other services, through the real broker.

use chrono::{DateTime, Utc};
use parlour_contracts::billing::v1::{PaymentFailed, PaymentSucceeded};
use parlour_contracts::identity::v1::SecurityAlert;
use parlour_contracts::media::v1::FileInfected;
use parlour_contracts::orders::v1::{
    AppointmentBooked, OrderAssigned, OrderCreated, OrderDelivered, OrderOverdue, OrderSubmitted,
};
use parlour_testkit::{App, Person, eventually, eventually_eq};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::{address, builder, list, live, number, publish, recorder};

/// Somebody whom notify has heard of from identity, with these roles.
pub(crate) async fn heard_of(app: &App, role: &str) -> Person {
    let person = app.person(role).await;
    let sql = "UPDATE notify.people SET roles = ARRAY[$2::text] WHERE id = $1";
    let admin = app.database().admin().await;
    eventually(async || admin.execute(sql, &[&person.id, &role]).await.unwrap() == 1).await;
    let sql = "UPDATE notify.contacts SET email_verified = true WHERE account_id = $1";
    eventually(async || admin.execute(sql, &[&person.id]).await.unwrap() == 1).await;
    person
}

pub(crate) async fn gets(app: &App, person: &Person, kind: &str) -> Value {
    eventually(async || {
        let all = list(app, person).await;
        let found = all.iter().find(|n| n["type"] == kind).cloned();
        found.ok_or(all)
    })
    .await
}

fn delivered(client: Uuid, reader: Uuid) -> OrderDelivered {
    OrderDelivered {
        order_id: Uuid::now_v7().to_string(),
        number: "R-000042".into(),
        client_id: client.to_string(),
        reader_id: reader.to_string(),
        service_name: "Tarot".into(),
        ..Default::default()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_client_hears_of_a_delivered_order_on_every_channel_they_chose() {
    let app = live().await;
    let (client, reader) = (heard_of(&app, "client").await, heard_of(&app, "reader").await);
    let event = delivered(client.id, reader.id);
    publish(&app, "order", event.clone()).await;
    let seen = gets(&app, &client, "order_delivered").await;
    assert_eq!(seen["title"], "Your result is ready");
    assert_eq!(
        seen["data"],
        json!({ "order_id": event.order_id, "number": "R-000042" })
    );
    let mails = recorder(&app).eventually("order_delivered", 1).await;
    assert_eq!(address(&mails[0]), client.email);
    assert!(mails[0].content.text.contains("R-000042 (Tarot)"));
    assert!(list(&app, &reader).await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_that_is_delivered_again_tells_nobody_twice() {
    let app = builder().with_vhost().replicas(2).start().await;
    let (client, reader) = (heard_of(&app, "client").await, heard_of(&app, "reader").await);
    publish(&app, "order", delivered(client.id, reader.id)).await;
    gets(&app, &client, "order_delivered").await;
    recorder(&app).eventually("order_delivered", 1).await;
    // As if the inbox had never been written: only the unique index is left to know.
    let admin = app.database().admin().await;
    admin
        .batch_execute("DELETE FROM notify.inbox; DELETE FROM notify.inbox_versions")
        .await
        .unwrap();
    let again = "UPDATE identity.outbox SET published_at = NULL WHERE type = 'orders.order.delivered'";
    admin.execute(again, &[]).await.unwrap();
    let marker = delivered(reader.id, client.id);
    publish(&app, "another", marker).await;
    gets(&app, &reader, "order_delivered").await;
    eventually_eq(2, async || {
        number(
            &app,
            "SELECT count(*) FROM notify.inbox WHERE type = 'orders.order.delivered'",
        )
        .await
    })
    .await;
    assert_eq!(list(&app, &client).await.len(), 1);
    recorder(&app).eventually("order_delivered", 2).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_matrix_says_who_hears_and_it_is_data() {
    let app = live().await;
    let (client, reader) = (heard_of(&app, "client").await, heard_of(&app, "reader").await);
    let (monitor, owner) = (heard_of(&app, "monitor").await, heard_of(&app, "owner").await);
    let order = || (Uuid::now_v7().to_string(), "R-1".to_owned(), "Tarot".to_owned());
    let (order_id, number, service_name) = order();
    publish(
        &app,
        "1",
        OrderCreated {
            order_id,
            number,
            service_name,
            client_id: client.id.to_string(),
            ..Default::default()
        },
    )
    .await;
    gets(&app, &client, "order_created").await;
    gets(&app, &owner, "order_created").await;
    let (order_id, number, service_name) = order();
    let assigned = OrderAssigned {
        order_id,
        number,
        service_name,
        client_id: client.id.to_string(),
        reader_id: reader.id.to_string(),
        former_reader_id: monitor.id.to_string(),
        ..Default::default()
    };
    publish(&app, "2", assigned).await;
    gets(&app, &reader, "order_assigned").await;
    gets(&app, &client, "order_assigned").await;
    gets(&app, &monitor, "order_unassigned").await;
    let submitted = || {
        let (order_id, number, service_name) = order();
        let (client_id, reader_id) = (client.id.to_string(), reader.id.to_string());
        OrderSubmitted {
            order_id,
            number,
            service_name,
            client_id,
            reader_id,
            revision: 1,
            ..Default::default()
        }
    };
    publish(&app, "3", submitted()).await;
    gets(&app, &monitor, "order_submitted").await;
    let (order_id, number, service_name) = order();
    let overdue = OrderOverdue {
        order_id,
        number,
        service_name,
        client_id: client.id.to_string(),
        reader_id: reader.id.to_string(),
        waits_for: "review".into(),
        since_ms: 1,
    };
    publish(&app, "4", overdue).await;
    let seen = gets(&app, &monitor, "order_overdue").await;
    assert!(
        seen["message"].as_str().unwrap().ends_with("for its review."),
        "{seen}"
    );
    assert!(
        list(&app, &reader)
            .await
            .iter()
            .all(|n| n["type"] != "order_overdue"),
        "the reader was in time"
    );
    let admin = app.database().admin().await;
    let change = "UPDATE notify.routes SET audience = 'client', kind = 'my_type' WHERE event = 'orders.order.submitted'";
    admin.execute(change, &[]).await.unwrap();
    publish(&app, "5", submitted()).await;
    let own = gets(&app, &client, "my_type").await;
    assert_eq!(
        own["title"], "my type",
        "a type without words is told by its name"
    );
    assert_eq!(
        list(&app, &monitor)
            .await
            .iter()
            .filter(|n| n["type"] == "order_submitted")
            .count(),
        1
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn appointments_are_told_by_each_persons_clock() {
    let app = live().await;
    let (client, reader) = (heard_of(&app, "client").await, heard_of(&app, "reader").await);
    let admin = app.database().admin().await;
    let sql = "UPDATE notify.people SET time_zone = 'Asia/Riyadh', locale = 'ar' WHERE id = $1";
    admin.execute(sql, &[&client.id]).await.unwrap();
    let start: DateTime<Utc> = "2026-07-01T15:30:00Z".parse().unwrap();
    let booked = AppointmentBooked {
        appointment_id: Uuid::now_v7().to_string(),
        client_id: client.id.to_string(),
        counselor_id: reader.id.to_string(),
        start_ms: start.timestamp_millis(),
        duration_minutes: 45,
    };
    publish(&app, "appointment", booked.clone()).await;
    let arabic = gets(&app, &client, "appointment_booked").await;
    assert_eq!(arabic["message"], "حُجز موعد في 2026-07-01 18:30 (Asia/Riyadh).");
    assert_eq!(arabic["data"]["start_at"], "2026-07-01T15:30:00.000Z");
    assert_eq!(arabic["data"]["appointment_id"], booked.appointment_id);
    let english = gets(&app, &reader, "appointment_booked").await;
    assert_eq!(
        english["message"],
        "An appointment on 1 July 2026, 15:30 (UTC) was booked."
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn receipts_are_for_money_that_was_taken() {
    let app = live().await;
    let client = heard_of(&app, "client").await;
    let paid = |captured| PaymentSucceeded {
        payment_id: Uuid::now_v7().to_string(),
        payer_id: client.id.to_string(),
        amount_minor: 1950,
        currency: "KWD".into(),
        captured,
        ..Default::default()
    };
    publish(&app, "payment", paid(false)).await;
    publish(&app, "payment", paid(true)).await;
    let seen = gets(&app, &client, "payment_succeeded").await;
    assert_eq!(seen["message"], "We received your payment of 1.950 KWD.");
    let failed = PaymentFailed {
        payment_id: Uuid::now_v7().to_string(),
        payer_id: client.id.to_string(),
        amount_minor: 5,
        currency: "EUR".into(),
        reason: "declined".into(),
        ..Default::default()
    };
    publish(&app, "payment", failed).await;
    gets(&app, &client, "payment_failed").await;
    assert_eq!(list(&app, &client).await.len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_security_alert_cannot_be_switched_off_and_a_file_is_its_owners_business() {
    let app = live().await;
    let client = heard_of(&app, "client").await;
    let off = json!({ "preferences": { "all": { "email": false, "socket": false } } });
    app.by(&client)
        .put("/api/notifications/settings")
        .json(off)
        .await
        .expect(200);
    let alert = SecurityAlert {
        account_id: client.id.to_string(),
        kind: "password_changed".into(),
        address: "192.0.2.7".into(),
    };
    publish(&app, "alert", alert).await;
    let mails = recorder(&app).eventually("security_alert", 1).await;
    assert!(
        mails[0].content.text.contains("Your password was changed.")
            && mails[0].content.text.contains("192.0.2.7")
    );
    assert_eq!(mails[0].content.unsubscribe, None);
    assert_eq!(gets(&app, &client, "security_alert").await["priority"], "high");
    let file = FileInfected {
        file_id: Uuid::now_v7().to_string(),
        owner_id: client.id.to_string(),
    };
    publish(&app, "file", file.clone()).await;
    assert_eq!(
        gets(&app, &client, "file_infected").await["data"]["file_id"],
        file.file_id
    );
    assert!(recorder(&app).of("file_infected").is_empty());
    let admin = heard_of(&app, "admin").await;
    publish(&app, "another file", file.clone()).await;
    assert_eq!(
        gets(&app, &admin, "file_infected").await["data"]["file_id"],
        file.file_id
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_that_names_nobody_is_parked_and_the_rest_goes_on() {
    let app = live().await;
    let client = heard_of(&app, "client").await;
    let broken = OrderDelivered {
        client_id: "not an id".into(),
        ..Default::default()
    };
    publish(&app, "broken", broken).await;
    publish(&app, "fine", delivered(client.id, client.id)).await;
    gets(&app, &client, "order_delivered").await;
    eventually_eq(1, async || {
        number(&app, "SELECT count(*) FROM notify.parked WHERE state = 'parked'").await
    })
    .await;
}
