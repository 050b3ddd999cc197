//! `/api/notifications/templates`

use parlour_testkit::eventually;
use serde_json::{Value, json};

use crate::support::{known, list, number, quiet, recorder};

const PATH: &str = "/api/notifications/templates";

fn template() -> Value {
    json!({
        "type": "order_delivered", "channel": "sms", "locale": "en", "body": "{{ number }} is ready, {{ recipient }}",
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_shipped_is_listed_and_filtered() {
    let app = quiet().await;
    let admin = app.by(&app.person("admin").await);
    let page = admin.get(&format!("{PATH}?limit=5")).await.expect(200).data();
    assert!(page["pagination"]["total"].as_i64().unwrap() > 60);
    assert_eq!(page["templates"].as_array().unwrap().len(), 5);
    let one = admin
        .get(&format!("{PATH}?type=order_delivered&channel=email&locale=ar"))
        .await
        .expect(200)
        .data();
    let one = &one["templates"][0];
    assert_eq!(
        (&one["version"], &one["active"], &one["shipped"]),
        (&json!(1), &json!(true), &json!(true))
    );
    assert_eq!(one["subject"], "نتيجتك جاهزة");
    admin
        .get(&format!("{PATH}?channel=fax"))
        .await
        .expect_error(400, "VALIDATION_ERROR");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_template_is_made_once_and_switches_its_channel_on() {
    let app = quiet().await;
    let (person, ana) = (app.person("admin").await, known(&app, "client").await);
    let admin = app.by(&person);
    let made = admin
        .post(PATH)
        .json(template())
        .idempotency_key("k")
        .await
        .expect(201)
        .data();
    assert_eq!(
        (&made["template"]["version"], &made["template"]["shipped"]),
        (&json!(1), &json!(false))
    );
    admin
        .post(PATH)
        .json(template())
        .await
        .expect_error(409, "CONFLICT");
    let sent = json!({
        "user_ids": [ana.id], "type": "order_delivered", "template": "order_delivered",
        "variables": { "order_id": "x", "number": "R-1", "service_name": "T" },
    });
    app.by(&person)
        .post("/api/notifications/send")
        .json(sent)
        .await
        .expect(201);
    let sms = async || {
        recorder(&app)
            .of("order_delivered")
            .into_iter()
            .find(|m| m.content.html.is_none())
    };
    assert_eq!(eventually(sms).await.content.text, "R-1 is ready, Ana");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_variable_fails_the_save_and_not_the_send() {
    let app = quiet().await;
    let admin = app.by(&app.person("admin").await);
    for (fields, wrong) in [
        (
            json!({ "body": "{{ nobody }}" }),
            "body: order_delivered has no variable nobody",
        ),
        (json!({ "body": "{{ number" }), "body"),
        (json!({ "body": "" }), "body"),
        (json!({ "html": "<p>" }), "html: only e-mails have an HTML part"),
        (json!({ "channel": "email" }), "subject: is required"),
        (json!({ "locale": "e n" }), "locale"),
        (json!({ "type": "A B" }), "type"),
        (
            json!({ "body": "{% for a in range(10000) %}{% for b in range(10000) %}x{% endfor %}{% endfor %}" }),
            "too long",
        ),
    ] {
        let mut body = template();
        body.as_object_mut()
            .unwrap()
            .extend(fields.as_object().unwrap().clone());
        let answer = admin.post(PATH).json(body).await;
        let details = answer.expect_error(400, "VALIDATION_ERROR").json()["details"].to_string();
        assert!(details.contains(wrong), "{wrong} in {details}");
    }
    assert_eq!(
        number(
            &app,
            "SELECT count(*) FROM notify.templates WHERE channel = 'sms'"
        )
        .await,
        0
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_preview_saves_nothing_and_is_as_strict() {
    let app = quiet().await;
    let admin = app.by(&app.person("admin").await);
    let path = format!("{PATH}?preview=true");
    let body = json!({
        "type": "whatever", "channel": "email", "locale": "ar", "subject": "{{ a }}", "body": "{{ a }}\n\n{{ brand }}",
        "variables": { "a": "<أ> 🌙" },
    });
    let data = admin.post(&path).json(&body).await.expect(200).data();
    assert_eq!(
        (&data["subject"], &data["body"]),
        (&json!("<أ> 🌙"), &json!("<أ> 🌙\n\nParlour"))
    );
    let html = data["html"].as_str().unwrap();
    assert!(
        html.contains("dir=\"rtl\"") && html.contains("&lt;أ&gt; 🌙"),
        "{html}"
    );
    let mut missing = body.clone();
    missing["variables"] = json!({});
    let details = admin
        .post(&path)
        .json(missing)
        .await
        .expect_error(400, "VALIDATION_ERROR")
        .json()["details"]
        .clone();
    assert_eq!(details, json!(["subject: line 1: a variable is missing"]));
    assert_eq!(
        number(
            &app,
            "SELECT count(*) FROM notify.templates WHERE kind = 'whatever'"
        )
        .await,
        0
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn versions_are_kept_and_a_release_never_overwrites_an_operators() {
    let mut app = quiet().await;
    let (person, ana) = (app.person("admin").await, known(&app, "client").await);
    let admin = app.by(&person);
    let find = |locale: &str| format!("{PATH}?type=order_delivered&channel=socket&locale={locale}");
    let shipped = admin.get(&find("en")).await.data()["templates"][0].clone();
    let path = format!("{PATH}/{}", shipped["id"].as_str().unwrap());
    let change = json!({ "subject": "Mine: {{ number }}" });
    let changed = admin.put(&path).json(&change).await.expect(200).data();
    assert_eq!(
        (&changed["template"]["version"], &changed["template"]["body"]),
        (&json!(2), &shipped["body"])
    );
    let same = admin.put(&path).json(&change).await.expect(200).data();
    assert_eq!(
        same["template"]["version"], 2,
        "the same words are no new version"
    );
    admin
        .put(&path)
        .json(json!({ "body": "{{ nobody }}" }))
        .await
        .expect_error(400, "VALIDATION_ERROR");
    let versions =
        "SELECT count(*) FROM notify.template_versions v JOIN notify.templates t ON t.id = v.template_id
        WHERE t.kind = 'order_delivered' AND t.channel = 'socket' AND t.locale = 'en'";
    assert_eq!(number(&app, versions).await, 2);
    // The words of an older release, which nobody has changed.
    let client = app.database().admin().await;
    let older = "UPDATE notify.template_versions SET body = 'old' WHERE author IS NULL";
    client.execute(older, &[]).await.unwrap();
    app.stop(0);
    app.restart().await;
    let admin = app.by(&person);
    assert_eq!(
        admin.get(&find("en")).await.data()["templates"][0]["subject"],
        "Mine: {{ number }}"
    );
    let arabic = admin.get(&find("ar")).await.data()["templates"][0].clone();
    assert_eq!(
        (&arabic["version"], &arabic["shipped"]),
        (&json!(2), &json!(true))
    );
    assert_ne!(arabic["body"], "old");
    let sent = json!({
        "user_ids": [ana.id], "type": "x", "template": "order_delivered",
        "variables": { "order_id": "x", "number": "R-9", "service_name": "T" },
    });
    admin.post("/api/notifications/send").json(sent).await.expect(201);
    assert_eq!(list(&app, &ana).await[0]["title"], "Mine: R-9");
    let off = json!({ "active": false });
    admin.put(&path).json(off).await.expect(200);
    admin
        .put(&format!("{PATH}/{}", uuid::Uuid::now_v7()))
        .json(change)
        .await
        .expect(404);
}
