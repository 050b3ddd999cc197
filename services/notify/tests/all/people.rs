//! Mails about accounts, addresses, blocks, and the right to be forgotten.

use parlour_contracts::moderation::v1::{UserBlocked, UserUnblocked};
use parlour_contracts::ops::v1::PrivacyEraseRequested;
use parlour_notify::channels::Class;
use parlour_testkit::{App, eventually, eventually_eq};
use serde_json::json;

use crate::support::{address, builder, delivery, list, live, number, publish, recorder, refused};

async fn heard_of(app: &App, id: uuid::Uuid) {
    let sql = format!(
        "SELECT count(*) FROM notify.people p JOIN notify.contacts c ON c.account_id = p.id WHERE p.id = '{id}'"
    );
    eventually_eq(1, async || number(app, &sql).await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_requested_mail_is_sent_once_and_never_listed() {
    let app = live().await;
    recorder(&app).refuse(vec![refused(Class::Permanent)]);
    let person = app.person("client").await;
    let failed = "SELECT count(*) FROM notify.deliveries WHERE status = 'failed' AND kind = 'verify_email'";
    eventually_eq(1, async || number(&app, failed).await).await;
    let context = parlour_chassis::Context::offline("notify", app.layers().clone()).unwrap();
    let notify = parlour_notify::operator::open(&context).unwrap();
    let dead = parlour_notify::operator::failed(&notify, None, 10).await.unwrap();
    parlour_notify::operator::redrive(&notify, vec![dead[0].id], "tester")
        .await
        .unwrap();
    let mails = recorder(&app).eventually("verify_email", 1).await;
    let mail = &mails[0];
    assert_eq!(address(mail), person.email);
    let url = mail.data["url"].as_str().unwrap();
    assert!(mail.content.text.contains(url) && mail.content.html.as_deref().unwrap().contains("Confirm"));
    assert_eq!(mail.content.subject, "Confirm your e-mail address");
    let token = json!({ "token": mail.data["token"] });
    app.post("/api/auth/email/verify").json(token).await.expect(200);
    assert!(list(&app, &person).await.is_empty());
    let sealed = "SELECT count(*) FROM notify.deliveries WHERE mail_sealed IS NOT NULL";
    eventually_eq(0, async || number(&app, sealed).await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_requested_mail_goes_out_although_nobody_looks_for_it() {
    let hour = 3_600_000;
    let app = builder().set("notify.dispatch.poll_ms", hour).with_vhost();
    let app = app.start().await;
    // The first might still meet the look that comes with the start.
    for count in 1..=2 {
        app.person("client").await;
        recorder(&app).eventually("verify_email", count).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_personal_stands_in_any_table_in_the_clear() {
    let app = live().await;
    let (admin, person) = (app.person("admin").await, app.person("client").await);
    heard_of(&app, person.id).await;
    let phone = json!({ "phone": "+46701740605" });
    app.by(&person).put("/api/profile").json(phone).await.expect(200);
    eventually_eq(1, async || {
        number(
            &app,
            "SELECT count(*) FROM notify.contacts WHERE phone_sealed IS NOT NULL",
        )
        .await
    })
    .await;
    let body = json!({
        "user_ids": [person.id], "type": "note", "title": "Canary Wharf", "message": "canary text",
        "data": { "secret": "canary data" }, "channels": ["email", "socket"],
    });
    app.by(&admin)
        .post("/api/notifications/send")
        .json(&body)
        .idempotency_key("k")
        .await
        .expect(201);
    let device = json!({ "token": "canary-device-token" });
    app.by(&person)
        .post("/api/notifications/push/subscriptions")
        .json(device)
        .await
        .expect(201);
    let bulk =
        json!({ "user_ids": [person.id], "type": "note", "title": "Canary Wharf", "message": "canary text" });
    app.by(&admin)
        .post("/api/notifications/send-bulk")
        .json(bulk)
        .await
        .expect(202);
    app.run_job("notify", "expand_jobs").await;
    recorder(&app).eventually("verify_email", 2).await;
    let client = app.database().admin().await;
    let tables = client
        .query(
            "SELECT tablename::text FROM pg_tables WHERE schemaname = 'notify'",
            &[],
        )
        .await
        .unwrap();
    assert!(tables.len() > 15);
    for row in tables {
        let table: String = row.get(0);
        for canary in [
            "Canary Wharf",
            "canary text",
            "canary data",
            "canary-device-token",
            "46701740605",
            &person.email,
        ] {
            let sql = format!(
                "SELECT count(*) FROM notify.{table} t WHERE t::text ILIKE '%' || $1 || '%' OR encode(t::text::bytea, 'escape') LIKE '%' || encode($1::text::bytea, 'hex') || '%'"
            );
            let found: i64 = client.query_one(&sql, &[&canary]).await.unwrap().get(0);
            assert_eq!(found, 0, "{canary} in {table}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_blocked_person_hears_of_the_block_and_of_nothing_else() {
    let app = live().await;
    let (admin, person) = (app.person("admin").await, app.person("client").await);
    heard_of(&app, person.id).await;
    let client = app.database().admin().await;
    client
        .execute("UPDATE notify.contacts SET email_verified = true", &[])
        .await
        .unwrap();
    let waits = json!({
        "user_ids": [person.id], "type": "order_rated", "title": "T", "message": "M", "priority": "low", "channels": ["email"],
    });
    let data = app
        .by(&admin)
        .post("/api/notifications/send")
        .json(waits)
        .await
        .expect(201)
        .data();
    let id = data["notifications"][0]["id"].clone();
    let account_id = person.id.to_string();
    publish(
        &app,
        "m",
        UserBlocked {
            account_id: account_id.clone(),
            ..Default::default()
        },
    )
    .await;
    let mails = recorder(&app).eventually("account_blocked", 1).await;
    assert_eq!(address(&mails[0]), person.email);
    assert_eq!(delivery(&app, &admin, &id, "email").await["reason"], "blocked");
    let status =
        format!("SELECT count(*) FROM notify.people WHERE id = '{account_id}' AND status = 'blocked'");
    eventually_eq(1, async || number(&app, &status).await).await;
    let body = json!({ "user_ids": [person.id], "type": "note", "title": "T", "message": "M", "channels": ["email"] });
    let data = app
        .by(&admin)
        .post("/api/notifications/send")
        .json(&body)
        .await
        .expect(201)
        .data();
    assert_eq!(data, json!({ "notifications": [], "skipped": [person.id] }));
    publish(
        &app,
        "m",
        UserUnblocked {
            account_id,
            ..Default::default()
        },
    )
    .await;
    recorder(&app).eventually("account_unblocked", 1).await;
    eventually_eq(0, async || number(&app, &status).await).await;
    app.by(&admin)
        .post("/api/notifications/send")
        .json(&body)
        .await
        .expect(201);
    recorder(&app).eventually("note", 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_erased_person_leaves_nothing() {
    let app = live().await;
    let (admin, person, other) = (
        app.person("admin").await,
        app.person("client").await,
        app.person("client").await,
    );
    for id in [person.id, other.id] {
        heard_of(&app, id).await;
    }
    let body = json!({ "user_ids": [person.id, other.id], "type": "note", "title": "T", "message": "M", "channels": ["push", "socket"] });
    let device = json!({ "token": "device" });
    app.by(&person)
        .post("/api/notifications/push/subscriptions")
        .json(device)
        .await
        .expect(201);
    app.by(&admin)
        .post("/api/notifications/send")
        .json(&body)
        .await
        .expect(201);
    app.by(&person)
        .put("/api/notifications/settings")
        .json(json!({ "locale": "ar" }))
        .await
        .expect(200);
    let room = json!({ "room": "user:self" });
    app.by(&person)
        .post("/api/notifications/realtime/join-room")
        .json(room)
        .await
        .expect(200);
    let account_id = person.id.to_string();
    publish(
        &app,
        "erase",
        PrivacyEraseRequested {
            account_id: account_id.clone(),
            ..Default::default()
        },
    )
    .await;
    let gone = format!("SELECT count(*) FROM notify.people WHERE id = '{account_id}' AND status = 'deleted'");
    eventually_eq(1, async || number(&app, &gone).await).await;
    for table in [
        "notifications",
        "deliveries",
        "counters",
        "settings",
        "contacts",
        "subscriptions",
        "room_seats",
    ] {
        let sql = format!("SELECT count(*) FROM notify.{table} WHERE account_id = '{account_id}'");
        eventually_eq(0, async || number(&app, &sql).await).await;
    }
    assert_eq!(list(&app, &other).await.len(), 1);
    let answer = app.by(&admin).post("/api/notifications/send").json(&body).await;
    answer.expect_error(400, "VALIDATION_ERROR");
    eventually(async || recorder(&app).of("verify_email").len() == 3).await;
}
