use parlour_events::queue;
use parlour_testkit::{App, eventually, eventually_eq};
use serde_json::json;

use crate::demo::counter::counted;
use crate::demo::{counter, goals};

#[tokio::test]
async fn a_consumer_has_its_queue_in_the_vhost_of_its_test() {
    let app = App::of(&[goals::service(), counter::service()])
        .with_vhost()
        .start()
        .await;
    let (vhost, name) = (app.vhost(), queue("counter"));
    let consumers = async || vhost.queue(&name).await.map(|queue| queue.consumers);
    eventually_eq(Some(1), consumers).await;
    assert_eq!(vhost.bindings(&name).await, ["wellbeing.goal.set"]);
    assert_eq!(vhost.queue("nothing").await, None);

    // The management hears of a connection a moment after it stands.
    eventually(async || vhost.close_connections().await > 0).await;
    eventually_eq(Some(1), consumers).await;
}

#[tokio::test]
async fn an_event_takes_effect_although_the_network_fails() {
    let services = [parlour_identity::service(), goals::service(), counter::service()];
    let app = App::of(&services).with_vhost().with_faults().start().await;
    let person = app.person("client").await;
    let set = async |title: &str| {
        app.by(&person)
            .post("/api/goals")
            .json(json!({ "title": title }))
            .await
            .expect(201)
            .data()
    };
    set("one").await;
    eventually_eq(1, async || counted(app.database(), person.id).await).await;

    app.broker_line().refuse();
    app.broker_line().cut();
    set("two").await;
    app.broker_line().pass();
    eventually_eq(2, async || counted(app.database(), person.id).await).await;

    app.database_line().refuse();
    app.database_line().cut();
    let refused = app
        .by(&person)
        .post("/api/goals")
        .json(json!({ "title": "three" }))
        .await;
    refused.expect_error(503, "UPSTREAM_UNAVAILABLE");
    app.database_line().pass();
    eventually(async || {
        app.by(&person)
            .post("/api/goals")
            .json(json!({ "title": "three" }))
            .await
            .status()
            == 201
    })
    .await;
    eventually_eq(3, async || counted(app.database(), person.id).await).await;
}
