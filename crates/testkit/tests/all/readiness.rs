//! A process is ready when nothing that is published passes its consumers by.

use parlour_contracts::wellbeing::v1::GoalSet;
use parlour_db::{DbError, Scope, Tx};
use parlour_testkit::{App, Database, eventually, eventually_eq};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::demo::counter::counted;
use crate::demo::{counter, goals};

async fn report(app: &App) -> Value {
    app.internal().get("/ready").await.json()
}

#[tokio::test]
async fn what_was_written_before_the_first_queue_stood_is_heard_all_the_same() {
    let services = [goals::service(), counter::service()];
    let database = Database::of(&services).await;
    // As an operator's command does before anything runs.
    let account = Uuid::now_v7();
    let event = GoalSet {
        account_id: account.to_string(),
        goal_id: Uuid::now_v7().to_string(),
    };
    let told = async move |tx: &mut Tx| -> Result<(), DbError> {
        let published = parlour_events::publish(tx, format!("goal:{}", event.goal_id), &event);
        published.await.map(drop)
    };
    database.db("goals").write(Scope::Service, told).await.unwrap();
    let app = App::of(&services).on(database).with_vhost().start().await;
    eventually_eq(1, async || counted(app.database(), account).await).await;
}

#[tokio::test]
async fn a_process_is_not_ready_before_its_first_queue_stands() {
    let app = App::start(&[goals::service(), counter::service()]).await;
    let refused = app.internal().get("/ready").await;
    let services = json!({ "goals": "degraded", "counter": "degraded" });
    assert_eq!(
        refused.expect(503).json(),
        json!({ "ready": false, "services": services })
    );
    // What needs no queue is.
    let app = App::start(&[goals::service()]).await;
    let services = json!({ "goals": "degraded" });
    assert_eq!(report(&app).await, json!({ "ready": true, "services": services }));
}

#[tokio::test]
async fn a_broker_that_goes_away_makes_nobody_unready_not_even_who_starts_meanwhile() {
    let services = [goals::service(), counter::service()];
    let mut app = App::of(&services).with_vhost().with_faults().start().await;
    app.internal().get("/ready").await.expect(200);
    app.broker_line().refuse();
    app.broker_line().cut();
    let degraded = json!({
        "ready": true,
        "services": { "goals": "degraded", "counter": "degraded" },
    });
    eventually_eq(degraded.clone(), async || report(&app).await).await;
    app.stop(0);
    app.restart().await;
    eventually_eq(degraded, async || report(&app).await).await;
    app.broker_line().pass();
    eventually(async || {
        let report = report(&app).await;
        assert_eq!(report["ready"], true, "it stays ready");
        report["services"] == json!({ "goals": "active", "counter": "active" })
    })
    .await;
}
