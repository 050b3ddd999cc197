//! Events that had to wait take effect together, and what they say is told as ever.

use parlour_contracts::orders::v1::{OrderRated, OrderSubmitted};
use parlour_testkit::{App, eventually_eq};
use serde_json::json;
use uuid::Uuid;

use crate::events::{gets, heard_of};
use crate::support::{builder, list, number, publish};

const RATED: usize = 20;

/// Publishes what `reader` and the monitors hear of, while nothing can take effect.
async fn publish_while_nobody_listens(app: &App, reader: Uuid, client: Uuid) {
    let admin = app.database().admin().await;
    let lock = "BEGIN; LOCK TABLE notify.inbox IN EXCLUSIVE MODE";
    admin.batch_execute(lock).await.unwrap();
    for n in 0..RATED {
        let rated = OrderRated {
            order_id: Uuid::now_v7().to_string(),
            number: format!("R-{n}"),
            client_id: client.to_string(),
            reader_id: reader.to_string(),
            rating: 5,
        };
        publish(app, &format!("rated {n}"), rated).await;
    }
    let submitted = OrderSubmitted {
        order_id: Uuid::now_v7().to_string(),
        number: "R-99".into(),
        client_id: client.to_string(),
        reader_id: reader.to_string(),
        service_name: "Tarot".into(),
        revision: 1,
        ..Default::default()
    };
    publish(app, "submitted", submitted).await;
    let waiting = "SELECT count(*) FROM identity.outbox WHERE published_at IS NULL";
    eventually_eq(0, async || number(app, waiting).await).await;
    admin.batch_execute("COMMIT").await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waited_is_told_together_each_once() {
    let app = builder().with_vhost().set("consumer.workers", 1).start().await;
    let (reader, client) = (heard_of(&app, "reader").await, heard_of(&app, "client").await);
    let monitor = heard_of(&app, "monitor").await;
    let wishes =
        json!({ "preferences": { "order_rated": { "email": true } }, "digest": { "enabled": true } });
    let put = app.by(&reader).put("/api/notifications/settings").json(wishes);
    put.await.expect(200);
    publish_while_nobody_listens(&app, reader.id, client.id).await;

    gets(&app, &monitor, "order_submitted").await;
    eventually_eq(RATED, async || list(&app, &reader).await.len()).await;
    assert_eq!(list(&app, &monitor).await.len(), 1);
    let rated = i64::try_from(RATED).unwrap();
    let transactions = "SELECT count(DISTINCT xmin::text) FROM notify.inbox WHERE type LIKE 'orders.order.%'";
    assert!(number(&app, transactions).await < rated / 2);
    let digests = "SELECT count(DISTINCT digest_id) FROM notify.deliveries WHERE channel = 'email' AND kind = 'order_rated'";
    assert_eq!(number(&app, digests).await, 1);
    let unread = app.by(&reader).get("/api/notifications/unread-count").await;
    assert_eq!(unread.expect(200).data()["count"], rated);
    let numbered = format!(
        "SELECT count(*) FROM (SELECT version, row_number() OVER (ORDER BY seq) AS place FROM notify.outbox
           WHERE aggregate = 'account:{}' AND type = 'notify.notification.created') AS all_of_them
         WHERE version = place",
        reader.id
    );
    assert_eq!(number(&app, &numbered).await, rated);
}
