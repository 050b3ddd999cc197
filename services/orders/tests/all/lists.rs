//! `GET /api/orders`

use parlour_contracts::{Level, Role};
use parlour_testkit::Person;
use serde_json::{Value, json};

use crate::support::{Stage, id, known, offer};

async fn list(stage: &Stage, by: &Person, query: &str) -> Value {
    let path = format!("/api/orders?{query}");
    stage.app.by(by).get(&path).await.expect(200).data()
}

async fn total(stage: &Stage, by: &Person, query: &str) -> i64 {
    list(stage, by, query).await["pagination"]["total"]
        .as_i64()
        .unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn everybody_sees_what_is_theirs() {
    let stage = Stage::set().await;
    let other = stage.app.person("client").await;
    known(&stage.app, other.id, "client", "Otto", &[]).await;
    stage.assigned().await;
    stage.ordered().await;
    stage.ordered_by(&other, stage.service).await;
    let supporter = stage.app.person("support").await;
    for (person, sees) in [
        (&stage.client, 2),
        (&other, 1),
        (&stage.reader, 1),
        (&stage.monitor, 3),
        (&stage.admin, 3),
        (&supporter, 0),
    ] {
        assert_eq!(total(&stage, person, "").await, sees);
    }
    let filter = format!("client_id={}", stage.client.id);
    assert_eq!(total(&stage, &other, &filter).await, 0, "a filter never widens");
}

#[tokio::test(flavor = "multi_thread")]
async fn filters_narrow() {
    let stage = Stage::set().await;
    let dream = offer(
        &stage.app,
        &stage.admin,
        json!({ "name": "Dream of 100%_", "kind": "dream" }),
    )
    .await;
    let first = stage.assigned().await;
    let second = stage.ordered_by(&stage.client, dream).await;
    let yesterday = (chrono::Utc::now() - chrono::Duration::days(1)).date_naive();
    let today = chrono::Utc::now().date_naive();
    let old =
        format!("UPDATE orders.orders SET created_at = created_at - interval '2 days' WHERE id = '{first}'");
    stage.sql(&old).await;
    let (service, reader, client) = (stage.service, stage.reader.id, stage.client.id);
    for (query, found) in [
        ("status=assigned".to_owned(), vec![first]),
        ("status=cancelled".to_owned(), vec![]),
        (format!("service_id={dream}"), vec![second]),
        (format!("reader_id={reader}"), vec![first]),
        (format!("client_id={client}"), vec![second, first]),
        (
            format!("client_id={client}&service_id={service}&status=assigned"),
            vec![first],
        ),
        (format!("from={today}"), vec![second]),
        (format!("to={yesterday}"), vec![first]),
        ("q=rae".to_owned(), vec![first]),
        ("q=cleo".to_owned(), vec![second, first]),
        ("q=R-000001".to_owned(), vec![first]),
        ("q=2".to_owned(), vec![second]),
        ("q=DREAM".to_owned(), vec![second]),
        ("q=100%25_".to_owned(), vec![second]),
        ("q=%25".to_owned(), vec![second]),
        ("q=a_e".to_owned(), vec![]),
        ("q=cat".to_owned(), vec![]),
        ("status=&q=".to_owned(), vec![second, first]),
    ] {
        let page = list(&stage, &stage.admin, &query).await;
        let ids: Vec<_> = page["orders"].as_array().unwrap().iter().map(id).collect();
        assert_eq!(ids, found, "{query}");
        assert_eq!(page["pagination"]["total"], found.len(), "{query}");
    }
    for wrong in [
        "status=lost",
        "service_id=x",
        "from=monday",
        "to=2026-02-30",
        "limit=101",
        "limit=0",
        "page=0",
        "cursor=%21",
        "q=%00",
    ] {
        let path = format!("/api/orders?{wrong}");
        stage
            .app
            .by(&stage.admin)
            .get(&path)
            .await
            .expect_error(400, "VALIDATION_ERROR");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cursor_meets_every_order_once_while_new_ones_come() {
    let stage = Stage::set().await;
    for _ in 0..7 {
        stage.ordered().await;
    }
    let mut seen = Vec::new();
    let mut cursor = String::new();
    loop {
        let page = list(&stage, &stage.client, &format!("limit=3{cursor}")).await;
        seen.extend(page["orders"].as_array().unwrap().iter().map(id));
        stage.ordered().await;
        let Some(next) = page["pagination"]["next_cursor"].as_str() else {
            break;
        };
        cursor = format!("&cursor={next}");
    }
    let unique: std::collections::HashSet<_> = seen.iter().collect();
    assert_eq!((seen.len(), unique.len()), (7, 7));
    let second = list(&stage, &stage.client, "limit=3&page=2").await;
    assert_eq!(
        (
            &second["pagination"]["page"],
            second["orders"].as_array().unwrap().len()
        ),
        (&json!(2), 3)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_country_admin_has_their_country_alone() {
    let stage = Stage::set().await;
    let order = stage.ordered().await;
    let owner = stage.app.person("owner").await;
    for (country, sees) in [("SE", 1), ("SA", 0)] {
        let admin = stage.app.person_with(&[Role::Admin], &[]).await;
        let level = json!({ "level": Level::CountryAdmin, "country": country });
        let path = format!("/api/admin/users/{}/permissions", admin.id);
        stage.app.by(&owner).put(&path).json(level).await.expect(200);
        let fresh = stage
            .app
            .sign_in(&admin.email, &admin.password, admin.address)
            .await
            .data();
        let admin = Person {
            token: fresh["access_token"].as_str().unwrap().to_owned(),
            ..admin
        };
        assert_eq!(total(&stage, &admin, "").await, sees, "{country}");
        let body = json!({ "reader_id": stage.reader.id });
        let answer = stage.act(&admin, order, "assign", body).await;
        answer.expect(if sees == 1 { 200 } else { 404 });
    }
}
