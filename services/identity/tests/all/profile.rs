//! `/api/profile…`

use chrono::Duration;
use parlour_contracts::identity::v1::ProfileUpdated;
use parlour_testkit::App;
use serde_json::json;

use crate::identity;
use crate::support::by_the_clock;

#[tokio::test(flavor = "multi_thread")]
async fn a_profile_is_completed_and_the_sign_follows() {
    let app = App::start(&identity()).await;
    let person = app.person("client").await;
    let me = app.by(&person);
    let needs = me.get("/api/profile/requirements").await.expect(200).data();
    assert_eq!(needs["complete"], false);
    assert_eq!(
        needs["missing"],
        json!(["first_name", "last_name", "birth_date", "country"])
    );
    let some = json!({ "first_name": "Ana", "country": "SE" });
    let answer = me.post("/api/profile/complete").json(some).await;
    let details = answer.expect_error(400, "VALIDATION_ERROR").json()["details"].clone();
    assert_eq!(
        details,
        json!(["last_name: is required", "birth_date: is required"])
    );
    assert_eq!(
        me.get("/api/profile").await.data()["first_name"],
        json!(null),
        "nothing was kept"
    );
    let all =
        json!({ "first_name": "Ana", "last_name": "Lund", "country": "SE", "birth_date": "1990-05-01" });
    let data = me
        .post("/api/profile/complete")
        .json(all)
        .await
        .expect(200)
        .data();
    assert_eq!(
        (data["zodiac"].as_str(), data["display_name"].as_str()),
        (Some("taurus"), Some("Ana Lund"))
    );
    assert_eq!(me.get("/api/profile/requirements").await.data()["complete"], true);
    let told: Vec<ProfileUpdated> = app.published("identity").await;
    assert_eq!(told.last().unwrap().display_name, "Ana Lund");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_left_out_stays_and_null_clears() {
    let app = App::start(&identity()).await;
    let person = app.person("reader").await;
    let me = app.by(&person);
    let put = |body: serde_json::Value| me.put("/api/profile").json(body);
    let place =
        json!({ "name": "Lund", "latitude": 55.7, "longitude": 13.2, "time_zone": "Europe/Stockholm" });
    put(json!({
        "bio": "Tarot since 1999 🌙\nأهلا", "languages": ["ar", "en"], "specialities": ["tarot"],
        "birth_date": "2000-02-29", "birth_time": "23:59", "birth_place": place, "phone": "+46 70 174 06 05",
        "time_zone": "Asia/Riyadh", "avatar_url": "/api/media/files/1",
    }))
    .await
    .expect(200);
    let data = put(json!({ "bio": null, "first_name": "R" }))
        .await
        .expect(200)
        .data();
    assert_eq!(data["bio"], json!(null));
    assert_eq!(data["birth_place"], place);
    assert_eq!(
        (data["birth_time"].as_str(), data["phone"].as_str()),
        (Some("23:59"), Some("+46701740605"))
    );
    assert_eq!(data["phone_verified"], false);
    assert_eq!(data["specialities"], json!(["tarot"]));
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_values_are_refused_each_by_name() {
    let app = App::start(&identity()).await;
    let person = app.person("client").await;
    let me = app.by(&person);
    for (field, value) in [
        ("country", json!("XX")),
        ("phone", json!("0701740605")),
        ("birth_date", json!("2999-01-01")),
        ("birth_date", json!("1800-01-01")),
        ("birth_date", json!("yesterday")),
        ("birth_time", json!("25:00")),
        ("birth_place", json!({ "name": "x", "latitude": 91 })),
        ("time_zone", json!("Mars/Olympus")),
        ("avatar_url", json!("javascript:alert(1)")),
        ("avatar_url", json!("//evil.example")),
        ("zodiac", json!("dragon")),
        ("languages", json!(["a b"])),
        ("display_name", json!("a\u{202e}b")),
        ("bio", json!("x".repeat(10_000))),
        ("first_name", json!({ "a": 1 })),
    ] {
        let answer = me.put("/api/profile").json(json!({ field: value })).await;
        let details = answer.expect_error(400, "VALIDATION_ERROR").json()["details"].to_string();
        assert!(details.contains(field), "{field} in {details}");
    }
    let before = me.get("/api/profile").await.data();
    assert_eq!(before["country"], json!(null));
}

#[tokio::test(flavor = "multi_thread")]
async fn personal_fields_are_sealed_in_the_database() {
    let app = App::start(&identity()).await;
    let person = app.person("client").await;
    let body = json!({ "birth_place": { "name": "Canary Wharf" }, "phone": "+46701740605" });
    app.by(&person).put("/api/profile").json(body).await.expect(200);
    let admin = app.database().admin().await;
    for table in [
        "accounts",
        "profiles",
        "sessions",
        "outbox",
        "sign_in_failures",
        "rate_buckets",
    ] {
        for canary in [
            "Canary Wharf",
            "46701740605",
            person.email.as_str(),
            person.token.as_str(),
        ] {
            let sql = format!("SELECT count(*) FROM identity.{table} t WHERE t::text LIKE '%' || $1 || '%'");
            let found: i64 = admin.query_one(&sql, &[&canary]).await.unwrap().get(0);
            assert_eq!(found, 0, "{canary} in {table}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_born_tomorrow() {
    let (builder, clock, hands) = by_the_clock();
    let app = builder.start().await;
    let person = app.person("client").await;
    let me = app.by(&person);
    let tomorrow = clock.now().date_naive() + Duration::days(1);
    let born = || {
        me.put("/api/profile")
            .json(json!({ "birth_date": tomorrow.to_string() }))
    };
    let refused = born().await;
    refused.expect_error(400, "VALIDATION_ERROR");
    assert!(refused.text().contains("birth_date"), "{refused}");
    hands.advance(Duration::days(1));
    born().await.expect(200);
}
