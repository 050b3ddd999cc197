use chrono::{Duration, Utc};
use parlour_chassis::Clock;
use parlour_contracts::wellbeing::v1::GoalSet;
use parlour_testkit::App;
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
