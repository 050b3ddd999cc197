//! What ends a token is felt everywhere at once, with a broker and without.

use std::time::{Duration, Instant};

use parlour_testkit::{App, Person, eventually};
use serde_json::json;

use crate::identity;

/// How long until replica `number` refuses the person's token.
async fn felt(app: &App, number: usize, person: &Person) -> Duration {
    let started = Instant::now();
    eventually(async || {
        let status = app
            .replica(number)
            .get("/api/profile")
            .bearer(&person.token)
            .await
            .status();
        status == 401
    })
    .await;
    started.elapsed()
}

#[tokio::test(flavor = "multi_thread")]
async fn logout_is_felt_on_another_replica() {
    let app = App::of(&identity()).replicas(2).with_vhost().start().await;
    let person = app.person("client").await;
    for number in [0, 1] {
        app.replica(number)
            .get("/api/profile")
            .bearer(&person.token)
            .await
            .expect(200);
    }
    app.sign_out(&person).await;
    let times = [felt(&app, 0, &person).await, felt(&app, 1, &person).await];
    println!("logout felt after {times:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_taken_role_is_felt_on_another_replica() {
    let app = App::of(&identity()).replicas(2).with_vhost().start().await;
    let (owner, admin) = (app.person("owner").await, app.person("admin").await);
    app.replica(1)
        .get("/api/admin/users")
        .bearer(&admin.token)
        .await
        .expect(200);
    let path = format!("/api/admin/users/{}/roles", admin.id);
    app.by(&owner)
        .put(&path)
        .json(json!({ "roles": ["client"] }))
        .await
        .expect(200);
    println!("role felt after {:?}", felt(&app, 1, &admin).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn while_the_broker_is_away_nothing_revoked_gets_through() {
    let app = App::of(&identity())
        .replicas(2)
        .with_vhost()
        .with_faults()
        .start()
        .await;
    let person = app.person("client").await;
    app.replica(1)
        .get("/api/profile")
        .bearer(&person.token)
        .await
        .expect(200);
    app.broker_line().refuse();
    app.broker_line().cut();
    // From when the loss is noticed on, identity's database is asked about every token.
    app.sign_out(&person).await;
    felt(&app, 1, &person).await;
    app.broker_line().pass();
    let other = app.person("client").await;
    app.replica(1)
        .get("/api/profile")
        .bearer(&other.token)
        .await
        .expect(200);
}
