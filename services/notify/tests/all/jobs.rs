//! Bulk jobs and broadcasts.

use parlour_chassis::Clock;
use parlour_contracts::notify::v1::{JobAdvanced, NotificationCreated};
use parlour_testkit::{App, Person, eventually_eq};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::{builder, introduce_as, known, list, number, quiet};

/// People whom notify knows, and who never sign in.
async fn crowd(app: &App, number: usize, country: &str) -> Vec<Uuid> {
    let mut ids = Vec::new();
    for _ in 0..number {
        let id = Uuid::now_v7();
        introduce_as(app, id, &["client"], json!({ "country": country })).await;
        ids.push(id);
    }
    ids
}

async fn start(app: &App, by: &Person, path: &str, fields: Value) -> String {
    let mut body = json!({ "type": "news", "title": "خبر", "message": "M" });
    body.as_object_mut()
        .unwrap()
        .extend(fields.as_object().unwrap().clone());
    let data = app.by(by).post(path).json(body).await.expect(202).data();
    data["status_url"].as_str().unwrap().to_owned()
}

async fn told(app: &App) -> i64 {
    number(
        app,
        "SELECT count(*) FROM notify.notifications WHERE kind = 'news'",
    )
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bulk_job_tells_everybody_it_names_and_says_how_far_it_is() {
    let app = quiet().await;
    let (admin, ana) = (app.person("admin").await, known(&app, "client").await);
    let mut ids = crowd(&app, 12, "SE").await;
    introduce_as(&app, ids[0], &["client"], json!({ "status": "blocked" })).await;
    ids.extend([ana.id, ana.id, Uuid::now_v7()]);
    let url = start(
        &app,
        &admin,
        "/api/notifications/send-bulk",
        json!({ "user_ids": ids }),
    )
    .await;
    let job = app.by(&admin).get(&url).await.expect(200).data();
    assert_eq!((&job["total"], &job["finished_at"]), (&json!(14), &json!(null)));
    app.run_job("notify", "expand_jobs").await;
    let job = app.by(&admin).get(&url).await.expect(200).data();
    assert_eq!(
        (&job["status"], &job["total"], &job["done"], &job["failed"]),
        (&json!("done"), &json!(14), &json!(12), &json!(2))
    );
    assert!(job["started_at"].is_string() && job["finished_at"].is_string());
    assert_eq!(
        (told(&app).await, list(&app, &ana).await[0]["title"].clone()),
        (12, json!("خبر"))
    );
    let shared = number(&app, "SELECT count(*) FROM notify.contents").await;
    assert_eq!(shared, 1, "the words are kept once");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_filter_leaves_whom_it_leaves_and_a_broadcast_nobody_out() {
    let app = builder().set("notify.bulk.batch", 5).start().await;
    let (admin, owner) = (app.person("admin").await, app.person("owner").await);
    crowd(&app, 3, "SE").await;
    crowd(&app, 4, "EG").await;
    let filter = json!({ "filter": { "country": "EG", "roles": ["user"] } });
    start(&app, &admin, "/api/notifications/send-bulk", filter).await;
    app.run_job("notify", "expand_jobs").await;
    assert_eq!(told(&app).await, 4);
    let url = start(
        &app,
        &owner,
        "/api/notifications/broadcast",
        json!({ "priority": "high" }),
    )
    .await;
    app.run_job("notify", "expand_jobs").await;
    assert_eq!(app.by(&owner).get(&url).await.data()["done"], 7);
    assert_eq!(told(&app).await, 11);
    // The other services hear of its steps, and of nobody by themselves.
    assert!(app.published::<NotificationCreated>("notify").await.is_empty());
    let steps: Vec<JobAdvanced> = app.published("notify").await;
    let sizes: Vec<usize> = steps.iter().map(|step| step.told.len()).collect();
    assert_eq!(sizes, [4, 5, 2]);
    let reached = steps.iter().flat_map(|step| &step.told);
    let mut reached: Vec<String> = reached.map(|told| told.notification_id.clone()).collect();
    reached.sort();
    let all: Vec<String> = app
        .database()
        .admin()
        .await
        .query("SELECT id::text FROM notify.notifications ORDER BY 1", &[])
        .await
        .unwrap()
        .iter()
        .map(|row| row.get(0))
        .collect();
    assert_eq!(reached, all);
    assert!(url.ends_with(&steps[2].job_id) && steps[2].priority == "high");
    for wrong in [
        json!({}),
        json!({ "filter": {} }),
        json!({ "role": "client", "user_ids": [Uuid::now_v7()] }),
        json!({ "role": "king" }),
        json!({ "filter": { "roles": ["king"] } }),
    ] {
        let mut body = json!({ "type": "news", "title": "T", "message": "M" });
        body.as_object_mut()
            .unwrap()
            .extend(wrong.as_object().unwrap().clone());
        app.by(&admin)
            .post("/api/notifications/send-bulk")
            .json(body)
            .await
            .expect_error(400, "VALIDATION_ERROR");
    }
    app.by(&admin)
        .get(&format!("/api/notifications/jobs/{}", Uuid::now_v7()))
        .await
        .expect(404);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_goes_on_where_a_dead_process_left_it_and_tells_nobody_twice() {
    let (clock, hands) = Clock::manual(chrono::Utc::now());
    let app = builder().clock(clock).set("notify.bulk.batch", 10).start().await;
    let owner = app.person("owner").await;
    crowd(&app, 35, "SE").await;
    let url = start(&app, &owner, "/api/notifications/broadcast", json!({})).await;
    // As a process leaves it that was killed behind its second batch: 20 told, the lease still running, and the
    // third batch told but its progress never heard of.
    let admin = app.database().admin().await;
    app.run_job("notify", "expand_jobs").await;
    admin
        .batch_execute(
            "SET search_path = notify;
             DELETE FROM notify.notifications WHERE account_id IN (
                SELECT id FROM notify.people WHERE status = 'active' ORDER BY id OFFSET 30);
             UPDATE notify.jobs SET status = 'running', finished_at = NULL, done = 20, leased_until = leased_until,
                reached = (SELECT id FROM notify.people WHERE status = 'active' ORDER BY id OFFSET 19 LIMIT 1)",
        )
        .await
        .unwrap();
    assert_eq!(told(&app).await, 30);
    app.run_job("notify", "expand_jobs").await;
    assert_eq!(told(&app).await, 30, "the lease holds");
    hands.advance(chrono::Duration::seconds(61));
    app.run_job("notify", "expand_jobs").await;
    let job = app.by(&owner).get(&url).await.data();
    assert_eq!((&job["status"], &job["done"]), (&json!("done"), &json!(35)));
    let twice =
        "SELECT count(*) FROM (SELECT FROM notify.notifications GROUP BY account_id HAVING count(*) > 1) x";
    assert_eq!((told(&app).await, number(&app, twice).await), (35, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn two_processes_share_a_job_without_telling_anybody_twice() {
    let app = builder().replicas(2).set("notify.bulk.batch", 3).start().await;
    let owner = app.person("owner").await;
    crowd(&app, 40, "SE").await;
    start(&app, &owner, "/api/notifications/broadcast", json!({})).await;
    start(
        &app,
        &owner,
        "/api/notifications/broadcast",
        json!({ "type": "more" }),
    )
    .await;
    eventually_eq(2, async || {
        number(&app, "SELECT count(*) FROM notify.jobs WHERE status = 'done'").await
    })
    .await;
    assert_eq!(
        number(&app, "SELECT count(*) FROM notify.notifications").await,
        80
    );
    assert_eq!(
        number(&app, "SELECT sum(unread)::bigint FROM notify.counters").await,
        80
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_is_cancelled_between_two_batches() {
    let app = builder()
        .set("notify.bulk.batch", 1)
        .set("notify.bulk.pause_ms", 20)
        .start()
        .await;
    let (admin, owner) = (app.person("admin").await, app.person("owner").await);
    crowd(&app, 200, "SE").await;
    let url = start(&app, &owner, "/api/notifications/broadcast", json!({})).await;
    parlour_testkit::eventually(async || told(&app).await > 0).await;
    app.by(&admin)
        .delete(&url)
        .await
        .expect_error(403, "INSUFFICIENT_PERMISSIONS");
    let job = app.by(&owner).delete(&url).await.expect(200).data();
    assert_eq!(job["status"], "cancelled");
    assert_eq!(
        json!(told(&app).await),
        job["done"],
        "what is told is what is counted"
    );
    app.by(&owner)
        .delete(&url)
        .await
        .expect_error(409, "INVALID_STATE");
    app.run_job("notify", "expand_jobs").await;
    assert_eq!(json!(told(&app).await), job["done"]);
}
