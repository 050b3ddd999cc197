//! SafeTalk's paths.

use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::{known, quiet};

#[tokio::test(flavor = "multi_thread")]
async fn the_page_polls_what_is_new_oldest_first_and_marks_it() {
    let app = quiet().await;
    let (admin, ana, eve) = (
        app.person("admin").await,
        known(&app, "client").await,
        app.person("client").await,
    );
    let appointment = Uuid::now_v7();
    let mut ids = Vec::new();
    for title in ["one", "two", "three"] {
        let body = json!({
            "user_ids": [ana.id], "type": "appointment_due", "title": title, "message": "M",
            "data": { "appointment_id": appointment },
        });
        let data = app
            .by(&admin)
            .post("/api/notifications/send")
            .json(body)
            .await
            .expect(201)
            .data();
        ids.push(data["notifications"][0]["id"].as_str().unwrap().to_owned());
    }
    let me = app.by(&ana);
    let all = me.get("/chat/api/notifications/unread/").await.expect(200).json();
    assert_eq!(all["count"], 3);
    let first = all["notifications"][0].as_object().unwrap();
    let mut fields: Vec<&str> = first.keys().map(String::as_str).collect();
    fields.sort_unstable();
    assert_eq!(
        fields,
        [
            "created_at",
            "id",
            "message",
            "notification_type",
            "related_id",
            "title"
        ]
    );
    assert_eq!(
        (&first["title"], &first["notification_type"], &first["related_id"]),
        (&json!("one"), &json!("appointment_due"), &json!(appointment))
    );
    let titles = |answer: Value| -> Vec<Value> {
        answer["notifications"]
            .as_array()
            .unwrap()
            .iter()
            .map(|n| n["title"].clone())
            .collect()
    };
    let newer = me
        .get(&format!("/chat/api/notifications/unread/?last_id={}", ids[0]))
        .await
        .expect(200)
        .json();
    assert_eq!(titles(newer), [json!("two"), json!("three")]);
    // Without the slash it is the same path.
    let unknown = me
        .get(&format!(
            "/chat/api/notifications/unread?last_id={}",
            Uuid::now_v7()
        ))
        .await;
    assert_eq!(titles(unknown.expect(200).json()).len(), 3);
    let mark = format!("/chat/mark-notification-read/{}/", ids[1]);
    app.by(&eve)
        .post(&mark)
        .await
        .expect_error(404, "RESOURCE_NOT_FOUND");
    assert_eq!(
        me.post(&mark).await.expect(200).json(),
        json!({ "success": true })
    );
    assert_eq!(
        me.post(&mark).await.expect(200).json(),
        json!({ "success": true })
    );
    let left = me.get("/chat/api/notifications/unread/").await.expect(200).json();
    assert_eq!(titles(left), [json!("one"), json!("three")]);
    let wrong = me.post("/chat/mark-notification-read/17/").await;
    let body = wrong.expect_error(400, "VALIDATION_ERROR").json();
    assert!(
        body.get("success").is_none() && body["error"].is_string(),
        "{body}"
    );
}
