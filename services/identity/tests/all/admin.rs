//! `/api/admin/users…`

use parlour_contracts::{Level, Role};
use parlour_testkit::{App, Person};
use serde_json::{Value, json};

use crate::identity;

async fn set(app: &App, by: &Person, id: uuid::Uuid, what: &str, body: Value) -> parlour_testkit::Answer {
    app.by(by)
        .put(&format!("/api/admin/users/{id}/{what}"))
        .json(body)
        .await
}

#[tokio::test(flavor = "multi_thread")]
async fn users_are_searched_and_paged() {
    let app = App::start(&identity()).await;
    let admin = app.person("admin").await;
    let mut people = Vec::new();
    for n in 0..5 {
        let person = app.person("client").await;
        let body = json!({ "first_name": format!("Zoë {n}"), "country": "SE" });
        app.by(&person).put("/api/profile").json(body).await.expect(200);
        people.push(person);
    }
    let me = app.by(&admin);
    let list = |query: &str| me.get(&format!("/api/admin/users?{query}"));
    let page = list("q=Zo%C3%AB&limit=2").await.expect(200).data();
    assert_eq!(page["pagination"]["total"], 5);
    assert_eq!(page["pagination"]["total_pages"], 3);
    assert_eq!(page["users"][0]["first_name"], "Zoë 4");
    let mut cursor = page["pagination"]["next_cursor"].clone();
    let mut seen = 2;
    while let Some(text) = cursor.as_str() {
        let next = list(&format!("q=Zo%C3%AB&limit=2&cursor={text}"))
            .await
            .expect(200)
            .data();
        seen += next["users"].as_array().unwrap().len();
        cursor = next["pagination"]["next_cursor"].clone();
    }
    assert_eq!(seen, 5);
    let by_email = list(&format!("q={}", people[0].email)).await.data();
    assert_eq!(by_email["users"][0]["id"], json!(people[0].id));
    assert_eq!(list("role=admin").await.data()["users"][0]["id"], json!(admin.id));
    assert_eq!(
        list("q=%25").await.data()["pagination"]["total"],
        0,
        "a wildcard is a letter"
    );
    for wrong in [
        "limit=101",
        "limit=0",
        "page=0",
        "page=x",
        "role=king",
        "country=se",
        "cursor=%21",
    ] {
        list(wrong).await.expect_error(400, "VALIDATION_ERROR");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_grants_what_they_do_not_have() {
    let app = App::start(&identity()).await;
    let owner = app.person("owner").await;
    let boss = app.person("super_admin").await;
    let client = app.person("client").await;
    let roles = |names: Value| json!({ "roles": names });
    set(&app, &boss, client.id, "roles", roles(json!(["owner"])))
        .await
        .expect(403);
    set(&app, &boss, owner.id, "roles", roles(json!(["client"])))
        .await
        .expect(403);
    set(&app, &boss, client.id, "roles", roles(json!(["king"])))
        .await
        .expect(400);
    set(&app, &boss, client.id, "roles", roles(json!([])))
        .await
        .expect(400);
    let data = set(
        &app,
        &boss,
        client.id,
        "roles",
        roles(json!(["counselor", "user"])),
    )
    .await;
    assert_eq!(
        data.expect(200).data()["user"]["roles"],
        json!(["client", "reader"])
    );
    let last = set(&app, &owner, owner.id, "roles", roles(json!(["client"]))).await;
    last.expect_error(409, "INVALID_STATE");
    set(&app, &owner, boss.id, "roles", roles(json!(["owner"])))
        .await
        .expect(200);
    set(&app, &owner, owner.id, "roles", roles(json!(["client"])))
        .await
        .expect(200);
    let level = json!({ "level": "owner" });
    let other = app.person("super_admin").await;
    set(&app, &other, client.id, "permissions", level)
        .await
        .expect(403);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_of_power_ends_the_old_tokens() {
    let app = App::start(&identity()).await;
    let (owner, admin) = (app.person("owner").await, app.person("admin").await);
    app.by(&admin).get("/api/admin/users").await.expect(200);
    set(&app, &owner, admin.id, "roles", json!({ "roles": ["client"] }))
        .await
        .expect(200);
    app.by(&admin)
        .get("/api/admin/users")
        .await
        .expect_error(401, "AUTHENTICATION_REQUIRED");
    let body = json!({ "refresh_token": admin.refresh_token });
    let fresh = app.post("/api/auth/refresh").json(body).await.expect(200).data();
    let token = fresh["access_token"].as_str().unwrap();
    app.get("/api/admin/users")
        .bearer(token)
        .await
        .expect_error(403, "INSUFFICIENT_PERMISSIONS");
}

#[tokio::test(flavor = "multi_thread")]
async fn permissions_are_taken_in_both_spellings() {
    let app = App::start(&identity()).await;
    let (owner, admin) = (app.person("owner").await, app.person("admin").await);
    let names = json!({ "level": "l2", "permissions": ["ban_users"] });
    let data = set(&app, &owner, admin.id, "permissions", names)
        .await
        .expect(200)
        .data();
    assert_eq!(
        (&data["user"]["level"], &data["user"]["permissions"]),
        (&json!("l2"), &json!(["ban_users"]))
    );
    let switches = json!({ "permissions": { "canKickUsers": true, "canBanUsers": false } });
    let data = set(&app, &owner, admin.id, "permissions", switches)
        .await
        .expect(200)
        .data();
    assert_eq!(
        (&data["user"]["level"], &data["user"]["permissions"]),
        (&json!(null), &json!(["kick_users"]))
    );
    for wrong in [
        json!({ "permissions": ["fly"] }),
        json!({ "level": "country_admin" }),
        json!({ "level": "x" }),
    ] {
        set(&app, &owner, admin.id, "permissions", wrong)
            .await
            .expect_error(400, "VALIDATION_ERROR");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_country_admin_sees_their_country_alone() {
    let app = App::start(&identity()).await;
    let owner = app.person("owner").await;
    let admin = app.person_with(&[Role::Admin], &[]).await;
    let level = json!({ "level": Level::CountryAdmin, "country": "SA" });
    set(&app, &owner, admin.id, "permissions", level)
        .await
        .expect(200);
    let mut people = Vec::new();
    for country in ["SA", "EG"] {
        let person = app.person("client").await;
        app.by(&person)
            .put("/api/profile")
            .json(json!({ "country": country }))
            .await
            .expect(200);
        people.push(person);
    }
    let fresh = app
        .sign_in(&admin.email, &admin.password, admin.address)
        .await
        .data();
    let me = app.client().signed_in(fresh["access_token"].as_str().unwrap());
    let list = me.get("/api/admin/users").await.expect(200).data();
    assert_eq!(list["pagination"]["total"], 1);
    assert_eq!(list["users"][0]["id"], json!(people[0].id));
    assert_eq!(
        me.get("/api/admin/users?country=EG").await.data()["pagination"]["total"],
        0
    );
    me.get(&format!("/api/admin/users/{}", people[0].id))
        .await
        .expect(200);
    me.get(&format!("/api/admin/users/{}", people[1].id))
        .await
        .expect(404);
}
