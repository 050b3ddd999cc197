//! What staff send.

use parlour_contracts::notify::v1::NotificationCreated;
use parlour_testkit::App;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::{builder, introduce_as, known, list, quiet, recorder};

fn body(ids: &[Uuid]) -> Value {
    json!({ "user_ids": ids, "type": "note", "title": "T", "message": "M" })
}

#[tokio::test(flavor = "multi_thread")]
async fn each_person_gets_one_and_the_others_hear_of_it() {
    let app = quiet().await;
    let (staff, ana, bob) = (
        app.person("support").await,
        known(&app, "client").await,
        known(&app, "reader").await,
    );
    let answer = app
        .by(&staff)
        .post("/api/notifications/send")
        .json(body(&[ana.id, bob.id, ana.id]))
        .await;
    let data = answer.expect(201).data();
    assert_eq!(data["notifications"].as_array().unwrap().len(), 2);
    assert_eq!(data["skipped"], json!([]));
    for person in [&ana, &bob] {
        assert_eq!(list(&app, person).await.len(), 1);
    }
    let told: Vec<NotificationCreated> = app.published("notify").await;
    assert_eq!(told.len(), 2);
    assert!(
        told.iter()
            .all(|event| event.kind == "note" && event.priority == "normal")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_of_the_sender_makes_one_notification() {
    let app = quiet().await;
    let (one, other) = (app.person("support").await, app.person("admin").await);
    let ana = known(&app, "client").await;
    let mut keyed = body(&[ana.id]);
    keyed["dedupe_key"] = json!("reminder-1");
    let first = app
        .by(&one)
        .post("/api/notifications/send")
        .json(&keyed)
        .await
        .expect(201)
        .data();
    let second = app
        .by(&one)
        .post("/api/notifications/send")
        .json(&keyed)
        .await
        .expect(201)
        .data();
    assert_eq!(first, second);
    app.by(&other)
        .post("/api/notifications/send")
        .json(&keyed)
        .await
        .expect(201);
    assert_eq!(list(&app, &ana).await.len(), 2, "another sender has other keys");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repeated_request_is_answered_again() {
    let app = builder().replicas(2).start().await;
    let (staff, ana) = (app.person("support").await, known(&app, "client").await);
    let send = |replica: usize| {
        let client = app.replica(replica).signed_in(&staff.token).from(staff.address);
        client
            .post("/api/notifications/send")
            .json(body(&[ana.id]))
            .idempotency_key("k")
    };
    let first = send(0).await.expect(201).data();
    let second = send(1).await;
    assert_eq!(second.expect(201).data(), first);
    assert_eq!(second.header("idempotency-replayed"), Some("true"));
    assert_eq!(list(&app, &ana).await.len(), 1);
    let other = app
        .by(&staff)
        .post("/api/notifications/send")
        .json(body(&[staff.id]))
        .idempotency_key("k");
    other.await.expect_error(409, "IDEMPOTENCY_KEY_REUSED");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_is_named() {
    let app = quiet().await;
    let (staff, ana) = (app.person("support").await, known(&app, "client").await);
    for (fields, wrong) in [
        (json!({ "user_ids": [] }), "user_ids: must have at least 1 items"),
        (
            json!({ "user_ids": [Uuid::now_v7()] }),
            "user_ids[0]: is not a known account",
        ),
        (
            json!({ "type": "Not a type" }),
            "type: must be small letters, digits, _ . or -",
        ),
        (json!({ "title": null }), "title: is required without a template"),
        (json!({ "message": "   " }), "message: must not be blank"),
        (json!({ "priority": "urgent" }), "priority"),
        (json!({ "channels": ["pigeon"] }), "channels[0]"),
        (
            json!({ "data": { "x": "y".repeat(20_000) } }),
            "data: must have at most 16 KiB",
        ),
        (
            json!({ "template": "no_such" }),
            "template: there is no active template of this type",
        ),
        (
            json!({ "template": "order_delivered" }),
            "variables.number: is required by the template",
        ),
    ] {
        let mut sent = body(&[ana.id]);
        sent.as_object_mut()
            .unwrap()
            .extend(fields.as_object().unwrap().clone());
        let answer = app.by(&staff).post("/api/notifications/send").json(&sent).await;
        let details = answer.expect_error(400, "VALIDATION_ERROR").json()["details"].to_string();
        assert!(details.contains(wrong), "{wrong} in {details}");
    }
    assert!(list(&app, &ana).await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_template_speaks_the_language_of_each() {
    let app = quiet().await;
    let (staff, ana, laila) = (
        app.person("support").await,
        known(&app, "client").await,
        app.person("client").await,
    );
    introduce_as(
        &app,
        laila.id,
        &["client"],
        json!({ "locale": "ar-SA", "name": "ليلى" }),
    )
    .await;
    crate::support::contact(&app, laila.id).await;
    let sent = json!({
        "user_ids": [ana.id, laila.id], "type": "order_delivered", "template": "order_delivered",
        "variables": { "order_id": "x", "number": "R-7 <&>", "service_name": "Tarot" }, "channels": ["email"],
    });
    app.by(&staff)
        .post("/api/notifications/send")
        .json(sent)
        .await
        .expect(201);
    assert_eq!(list(&app, &ana).await[0]["title"], "Your result is ready");
    assert_eq!(list(&app, &laila).await[0]["title"], "نتيجتك جاهزة");
    let mails = recorder(&app).eventually("order_delivered", 2).await;
    let arabic = mails
        .iter()
        .find(|mail| mail.content.subject == "نتيجتك جاهزة")
        .unwrap();
    let html = arabic.content.html.as_deref().unwrap();
    assert!(
        html.contains("dir=\"rtl\"") && html.contains("ليلى") && html.contains("R-7 &lt;&amp;&gt;"),
        "{html}"
    );
    assert!(arabic.content.text.contains("R-7 <&>"), "{}", arabic.content.text);
    assert!(
        arabic
            .content
            .unsubscribe
            .as_deref()
            .unwrap()
            .contains("order_delivered")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_role_is_told_as_one() {
    let app = quiet().await;
    let (admin, reader) = (app.person("admin").await, known(&app, "reader").await);
    let client = known(&app, "client").await;
    let sent = json!({ "role": "counselor", "type": "note", "title": "T", "message": "M" });
    let data = app
        .by(&admin)
        .post("/api/notifications/send-to-role")
        .json(sent)
        .await
        .expect(201)
        .data();
    assert_eq!(data["notifications"].as_array().unwrap().len(), 1);
    assert_eq!(
        (list(&app, &reader).await.len(), list(&app, &client).await.len()),
        (1, 0)
    );
    let wrong = json!({ "role": "king", "type": "note", "title": "T", "message": "M" });
    let answer = app
        .by(&admin)
        .post("/api/notifications/send-to-role")
        .json(wrong)
        .await;
    answer.expect_error(400, "VALIDATION_ERROR");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_admin_of_a_country_reaches_that_country() {
    let app = quiet().await;
    let (ana, bob) = (app.person("client").await, app.person("client").await);
    introduce_as(&app, ana.id, &["client"], json!({ "country": "SE" })).await;
    introduce_as(&app, bob.id, &["client"], json!({ "country": "EG" })).await;
    let admin = country_admin(&app, "SE").await;
    let by = app.by(&admin);
    let answer = by
        .post("/api/notifications/send")
        .json(body(&[ana.id, bob.id]))
        .await;
    let details = answer.expect_error(400, "VALIDATION_ERROR").json()["details"].clone();
    assert_eq!(details, json!(["user_ids[1]: is not a known account"]));
    let sent = json!({ "role": "client", "type": "note", "title": "T", "message": "M" });
    let data = by
        .post("/api/notifications/send-to-role")
        .json(sent)
        .await
        .expect(201)
        .data();
    assert_eq!(data["notifications"].as_array().unwrap().len(), 1);
    assert_eq!(data["notifications"][0]["user_id"], json!(ana.id));
    let owner = app.person("owner").await;
    let told = app
        .by(&owner)
        .post("/api/notifications/send")
        .json(body(&[bob.id]))
        .await
        .expect(201)
        .data();
    let path = format!(
        "/api/notifications/{}/deliveries",
        told["notifications"][0]["id"].as_str().unwrap()
    );
    by.get(&path).await.expect_error(404, "RESOURCE_NOT_FOUND");
    app.by(&owner).get(&path).await.expect(200);
}

/// An admin who is limited to a country.
async fn country_admin(app: &App, country: &str) -> parlour_testkit::Person {
    let admin = app.person("admin").await;
    let sql = "UPDATE identity.accounts SET level = 'country_admin', country_scope = $2 WHERE id = $1";
    app.database()
        .admin()
        .await
        .execute(sql, &[&admin.id, &country])
        .await
        .unwrap();
    let answer = app.sign_in(&admin.email, &admin.password, admin.address).await;
    let token = answer.expect(200).data()["access_token"]
        .as_str()
        .unwrap()
        .to_owned();
    parlour_testkit::Person { token, ..admin }
}
