use std::pin::pin;
use std::time::Duration as Pause;

use chrono::{Duration, Utc};
use parlour_chassis::Clock;
use parlour_contracts::wellbeing::v1::GoalSet;
use parlour_testkit::{App, eventually_eq};
use serde_json::json;

use crate::demo::goals;

#[tokio::test]
async fn time_passes_when_the_test_says_so() {
    let (clock, hands) = Clock::manual(Utc::now());
    let app = App::of(&[parlour_identity::service(), goals::service()])
        .clock(clock)
        // Sign-ins end by the clock as well.
        .set("identity.refresh_days", 400)
        .start()
        .await;
    let person = app.person("client").await;
    let set = app
        .by(&person)
        .post("/api/goals")
        .json(json!({ "title": "wait" }))
        .await;
    let id = set.expect(201).data()["id"].as_str().unwrap().to_owned();
    let published = app.published::<GoalSet>("goals").await;
    assert_eq!(
        published,
        [GoalSet {
            account_id: person.id.to_string(),
            goal_id: id.clone()
        }]
    );

    let path = format!("/api/goals/{id}");
    hands.advance(Duration::days(364));
    app.run_job("goals", "expire").await;
    app.by(&person).get(&path).await.expect(200);
    hands.advance(Duration::days(2));
    app.run_job("goals", "expire").await;
    app.by(&person).get(&path).await.expect(404);
}

#[tokio::test]
async fn a_job_that_is_asked_for_runs_behind_the_one_under_way() {
    let app = App::of(&[parlour_identity::service(), goals::service()])
        .start()
        .await;
    let holder = app.database().admin().await;
    let looker = app.database().admin().await;
    holder
        .batch_execute("BEGIN; LOCK TABLE goals.goals IN SHARE MODE")
        .await
        .unwrap();
    let waiting = "SELECT count(*) FROM pg_locks WHERE relation = 'goals.goals'::regclass AND NOT granted";
    let second = async {
        eventually_eq(1, async || {
            looker.query_one(waiting, &[]).await.unwrap().get::<_, i64>(0)
        })
        .await;
        let mut run = pin!(app.run_job("goals", "expire"));
        // No length of time makes this fail that should not: the first run cannot end before the table is free.
        let early = tokio::time::timeout(Pause::from_millis(200), &mut run).await;
        assert!(early.is_err(), "what was asked for was passed over");
        holder.batch_execute("COMMIT").await.unwrap();
        run.await;
    };
    tokio::join!(app.run_job("goals", "expire"), second);
}
