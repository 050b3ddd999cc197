//! `GET /api/notifications` and what a person does with their list.

use chrono::{Duration, Utc};
use parlour_chassis::Clock;
use parlour_testkit::{App, Person};
use serde_json::{Value, json};

use crate::support::{audits, builder, introduce, known, list, quiet};

async fn send(app: &App, by: &Person, to: &Person, fields: Value) -> Value {
    let mut body = json!({ "user_ids": [to.id], "type": "note", "title": "T", "message": "M" });
    body.as_object_mut()
        .unwrap()
        .extend(fields.as_object().unwrap().clone());
    let data = app
        .by(by)
        .post("/api/notifications/send")
        .json(body)
        .await
        .expect(201)
        .data();
    data["notifications"][0]["id"].clone()
}

async fn count(app: &App, person: &Person) -> Value {
    app.by(person)
        .get("/api/notifications/unread-count")
        .await
        .expect(200)
        .data()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_notification_is_listed_in_the_documented_shape() {
    let app = quiet().await;
    let (admin, ana) = (app.person("admin").await, known(&app, "client").await);
    let id = send(&app, &admin, &ana, json!({
        "title": "قراءتك جاهزة 🌙", "message": "سطر <b>\nand more", "data": { "order_id": "x", "n": [1, null] },
        "priority": "high",
    }))
    .await;
    let all = list(&app, &ana).await;
    assert_eq!(all.len(), 1);
    let mut seen = all[0].clone();
    let created = seen.as_object_mut().unwrap().remove("created_at").unwrap();
    assert!(
        created.as_str().unwrap().ends_with('Z') && created.as_str().unwrap().len() == 24,
        "{created}"
    );
    assert_eq!(
        seen,
        json!({
            "id": id, "type": "note", "title": "قراءتك جاهزة 🌙", "message": "سطر <b>\nand more",
            "data": { "order_id": "x", "n": [1, null] }, "priority": "high",
            "is_read": false, "read_at": null, "expires_at": null,
        })
    );
    assert_eq!(
        count(&app, &ana).await,
        json!({ "count": 1, "by_priority": { "low": 0, "normal": 0, "high": 1, "emergency": 0 } })
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_filters_and_cursors_agree_with_the_counters() {
    let app = quiet().await;
    let (admin, ana) = (app.person("admin").await, known(&app, "client").await);
    for index in 0..25 {
        let kind = if index % 5 == 0 { "other" } else { "note" };
        let priority = if index % 2 == 0 { "normal" } else { "low" };
        send(
            &app,
            &admin,
            &ana,
            json!({ "type": kind, "priority": priority, "title": format!("{index}") }),
        )
        .await;
    }
    let me = app.by(&ana);
    let page = me
        .get("/api/notifications?limit=10&page=2")
        .await
        .expect(200)
        .data();
    assert_eq!(page["pagination"]["total"], 25);
    assert_eq!(page["pagination"]["total_pages"], 3);
    assert_eq!(page["notifications"][0]["title"], "14");
    let mut titles = Vec::new();
    let mut cursor = String::new();
    loop {
        let path = format!("/api/notifications?limit=10&cursor={cursor}");
        let page = me.get(&path).await.expect(200).data();
        titles.extend(
            page["notifications"]
                .as_array()
                .unwrap()
                .iter()
                .map(|n| n["title"].clone()),
        );
        match page["pagination"]["next_cursor"].as_str() {
            Some(next) => next.clone_into(&mut cursor),
            None => break,
        }
    }
    let expected: Vec<Value> = (0..25).rev().map(|index| json!(index.to_string())).collect();
    assert_eq!(titles, expected);
    for (filter, total) in [
        ("type=other", 5),
        ("priority=low", 12),
        ("type=other&priority=normal", 3),
        ("unread=true", 25),
    ] {
        let page = me
            .get(&format!("/api/notifications?limit=100&{filter}"))
            .await
            .expect(200)
            .data();
        assert_eq!(page["pagination"]["total"], total, "{filter}");
        assert_eq!(page["notifications"].as_array().unwrap().len(), total, "{filter}");
    }
    for bad in [
        "priority=urgent",
        "limit=101",
        "page=0",
        "cursor=rubbish",
        "unread=maybe",
    ] {
        let answer = me.get(&format!("/api/notifications?{bad}")).await;
        answer.expect_error(400, "VALIDATION_ERROR");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn reading_and_deleting_are_counted_once_and_audited() {
    let app = quiet().await;
    let (admin, ana, eve) = (
        app.person("admin").await,
        known(&app, "client").await,
        app.person("client").await,
    );
    let first = send(&app, &admin, &ana, json!({})).await;
    let second = send(&app, &admin, &ana, json!({ "priority": "low" })).await;
    let path = |id: &Value| format!("/api/notifications/{}", id.as_str().unwrap());
    let read = format!("{}/read", path(&first));
    app.by(&eve)
        .put(&read)
        .await
        .expect_error(404, "RESOURCE_NOT_FOUND");
    app.by(&eve)
        .delete(&path(&first))
        .await
        .expect_error(404, "RESOURCE_NOT_FOUND");
    let data = app.by(&ana).put(&read).await.expect(200).data();
    assert_eq!(data["notification"]["is_read"], true);
    let again = app.by(&ana).put(&read).await.expect(200).data();
    assert_eq!(again["notification"]["read_at"], data["notification"]["read_at"]);
    assert_eq!(count(&app, &ana).await["count"], 1);
    app.by(&ana).delete(&path(&second)).await.expect(200);
    app.by(&ana)
        .delete(&path(&second))
        .await
        .expect_error(404, "RESOURCE_NOT_FOUND");
    app.by(&ana)
        .put(&format!("{}/read", path(&second)))
        .await
        .expect(404);
    assert_eq!(count(&app, &ana).await["count"], 0);
    assert_eq!(list(&app, &ana).await.len(), 1);
    let records = audits(&app).await;
    let actions: Vec<&str> = records.iter().map(|record| record.action.as_str()).collect();
    assert_eq!(
        actions,
        [
            "notification.sent",
            "notification.sent",
            "notification.read",
            "notification.deleted"
        ]
    );
    assert!(
        records
            .iter()
            .all(|record| !record.actor_id.is_empty() && !record.request_id.is_empty())
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn all_are_read_in_one_go() {
    let app = quiet().await;
    let (admin, ana) = (app.person("admin").await, known(&app, "client").await);
    for _ in 0..7 {
        send(&app, &admin, &ana, json!({})).await;
    }
    let data = app
        .by(&ana)
        .put("/api/notifications/mark-all-read")
        .await
        .expect(200)
        .data();
    assert_eq!(data, json!({ "updated": 7 }));
    let data = app
        .by(&ana)
        .put("/api/notifications/mark-all-read")
        .await
        .expect(200)
        .data();
    assert_eq!(data, json!({ "updated": 0 }));
    assert_eq!(count(&app, &ana).await["count"], 0);
    let unread = app
        .by(&ana)
        .get("/api/notifications?unread=true")
        .await
        .expect(200)
        .data();
    assert_eq!(unread["notifications"], json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_has_expired_is_gone_from_list_and_count_at_once_and_from_the_table_of_counters_later() {
    let (clock, hands) = Clock::manual(Utc::now());
    let app = builder().clock(clock.clone()).start().await;
    let (admin, ana) = (app.person("admin").await, known(&app, "client").await);
    let soon = (clock.now() + Duration::minutes(5)).to_rfc3339();
    send(&app, &admin, &ana, json!({ "expires_at": soon })).await;
    let past = (clock.now() - Duration::minutes(5)).to_rfc3339();
    let body =
        json!({ "user_ids": [ana.id], "type": "note", "title": "T", "message": "M", "expires_at": past });
    app.by(&admin)
        .post("/api/notifications/send")
        .json(body)
        .await
        .expect_error(400, "VALIDATION_ERROR");
    assert_eq!(count(&app, &ana).await["count"], 1);
    hands.advance(Duration::minutes(6));
    assert_eq!(count(&app, &ana).await["count"], 0);
    assert_eq!(list(&app, &ana).await.len(), 0);
    app.run_job("notify", "expire_notifications").await;
    app.run_job("notify", "expire_notifications").await;
    assert_eq!(count(&app, &ana).await["count"], 0);
    hands.advance(Duration::days(51));
    app.run_job("notify", "purge_notifications").await;
    for table in ["notifications", "deliveries", "counters", "contents"] {
        let left = crate::support::number(&app, &format!("SELECT count(*) FROM notify.{table}")).await;
        assert_eq!(left, 0, "{table}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn counters_are_right_whatever_happens_at_the_same_time() {
    let app = quiet().await;
    let (admin, ana) = (app.person("admin").await, known(&app, "client").await);
    introduce(&app, &admin, &["admin"]).await;
    let mut ids = Vec::new();
    for _ in 0..10 {
        ids.push(send(&app, &admin, &ana, json!({})).await);
    }
    let (by, me) = (app.by(&admin), app.by(&ana));
    let body = json!({ "user_ids": [ana.id, admin.id], "type": "note", "title": "T", "message": "M" });
    let mut tasks = tokio::task::JoinSet::new();
    for id in &ids {
        let (by, me, body, id) = (
            by.clone(),
            me.clone(),
            body.clone(),
            id.as_str().unwrap().to_owned(),
        );
        tasks.spawn(async move {
            by.post("/api/notifications/send").json(body).await.expect(201);
            me.put(&format!("/api/notifications/{id}/read")).await.expect(200);
            me.put(&format!("/api/notifications/{id}/read")).await.expect(200);
        });
    }
    tasks.join_all().await;
    assert_eq!(count(&app, &ana).await["count"], 10);
    let wrong = "SELECT count(*) FROM notify.counters c FULL JOIN (
        SELECT account_id, kind, priority, count(*) AS total, count(*) FILTER (WHERE read_at IS NULL) AS unread
        FROM notify.notifications WHERE deleted_at IS NULL AND NOT expired GROUP BY 1, 2, 3) n
        USING (account_id, kind, priority)
        WHERE (c.total, c.unread) IS DISTINCT FROM (n.total, n.unread)";
    assert_eq!(crate::support::number(&app, wrong).await, 0);
}
