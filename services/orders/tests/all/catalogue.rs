//! `/api/services…`

use serde_json::json;

use crate::support::{Stage, id, offer};

#[tokio::test(flavor = "multi_thread")]
async fn services_are_added_changed_and_hidden() {
    let stage = Stage::set().await;
    let (app, admin) = (&stage.app, &stage.admin);
    let list = app.get("/api/services").await.expect(200).data();
    assert_eq!(list["pagination"]["total"], 1);
    let service = &list["services"][0];
    assert_eq!(id(service), stage.service);
    assert_eq!(
        (&service["price"], &service["currency"]),
        (&json!(2500), &json!("EUR"))
    );
    assert_eq!(
        (
            &service["active"],
            &service["requires_payment"],
            &service["assignment_minutes"]
        ),
        (&json!(true), &json!(false), &json!(null))
    );
    let path = format!("/api/services/{}", stage.service);
    let change = json!({ "price": 3000, "active": false, "review_minutes": 5 });
    let answer = app.by(admin).put(&path).json(change).await.expect(200).data();
    let changed = &answer["service"];
    assert_eq!(
        (&changed["price"], &changed["name"], &changed["review_minutes"]),
        (&json!(3000), &service["name"], &json!(5))
    );
    assert_eq!(app.get("/api/services").await.data()["pagination"]["total"], 0);
    let hidden = app.by(admin).get("/api/services?active=false").await.data();
    assert_eq!(hidden["pagination"]["total"], 1);
    let shown = app
        .by(&stage.client)
        .get("/api/services?active=false")
        .await
        .data();
    assert_eq!(shown["pagination"]["total"], 0, "others see what they can order");
    let cleared = app
        .by(admin)
        .put(&path)
        .json(json!({ "review_minutes": null }))
        .await;
    assert_eq!(
        cleared.expect(200).data()["service"]["review_minutes"],
        json!(null)
    );
    let nobody = format!("/api/services/{}", uuid::Uuid::nil());
    app.by(admin)
        .put(&nobody)
        .json(json!({}))
        .await
        .expect_error(404, "RESOURCE_NOT_FOUND");
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_and_cursors_meet_every_service_once() {
    let stage = Stage::set().await;
    for n in 0..6 {
        offer(
            &stage.app,
            &stage.admin,
            json!({ "name": format!("Dream {n}"), "kind": "dream" }),
        )
        .await;
    }
    let mut seen = Vec::new();
    let mut path = "/api/services?kind=dream&limit=4".to_owned();
    loop {
        let page = stage.app.get(&path).await.expect(200).data();
        assert_eq!(page["pagination"]["total"], 6);
        seen.extend(page["services"].as_array().unwrap().iter().map(id));
        let Some(cursor) = page["pagination"]["next_cursor"].as_str() else {
            break;
        };
        path = format!("/api/services?kind=dream&limit=4&cursor={cursor}");
    }
    let unique: std::collections::HashSet<_> = seen.iter().collect();
    assert_eq!((seen.len(), unique.len()), (6, 6));
    assert!(seen.is_sorted_by(|a, b| a > b), "the newest first");
}

#[tokio::test(flavor = "multi_thread")]
async fn impossible_services_are_refused_by_field() {
    let stage = Stage::set().await;
    let wrong = [
        ("price", json!(-1)),
        ("price", json!(100_000_000_001_i64)),
        ("price", json!(9_223_372_036_854_775_808_u64)),
        ("price", json!(9.99)),
        ("price", json!("9")),
        ("currency", json!("EURO")),
        ("currency", json!("XXZ")),
        ("currency", json!("eur")),
        ("kind", json!("Tarot Cards")),
        ("name", json!(" ")),
        ("name", json!("a\u{202e}b")),
        ("description", json!("x".repeat(2001))),
        ("delivery_mode", json!("pigeon")),
        ("duration_minutes", json!(-5)),
        ("assignment_minutes", json!(0)),
    ];
    for (field, value) in wrong {
        let mut body = json!({
            "kind": "tarot", "name": "T", "price": 1, "currency": "EUR", "delivery_mode": "live",
        });
        body[field] = value.clone();
        let answer = stage.app.by(&stage.admin).post("/api/services").json(&body).await;
        let details = answer.expect_error(400, "VALIDATION_ERROR").json()["details"].to_string();
        assert!(details.contains(field), "{field} {value}: {details}");
    }
}
