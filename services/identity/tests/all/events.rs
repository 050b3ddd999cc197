//! Events of other services, through the real broker.

use parlour_contracts::Event;
use parlour_contracts::billing::v1::GuideApproved;
use parlour_contracts::identity::v1::{ContactChanged, EmailRequested, ProfileUpdated};
use parlour_contracts::media::v1::AvatarChanged;
use parlour_contracts::moderation::v1::{UserBlocked, UserUnblocked};
use parlour_contracts::ops::v1::PrivacyEraseRequested;
use parlour_contracts::orders::v1::{AppointmentBooked, AppointmentCompleted};
use parlour_contracts::wellbeing::v1::{GoalCompleted, GoalSet};
use parlour_db::{DbError, Scope, Tx};
use parlour_testkit::{App, eventually};
use serde_json::json;

use crate::identity;
use crate::support::{contacts, mailed_token};

async fn start() -> App {
    App::of(&identity()).with_vhost().start().await
}

/// Publishes as another service would; whose outbox it goes through is all the same to the consumer.
async fn tell<E: Event + Clone + 'static>(app: &App, aggregate: &str, event: E) {
    let aggregate = format!("test:{aggregate}");
    let publish = async move |tx: &mut Tx| -> Result<(), DbError> {
        parlour_events::publish(tx, aggregate, &event).await.map(drop)
    };
    app.database()
        .db("identity")
        .write(Scope::Service, publish)
        .await
        .unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_block_ends_every_session_until_it_is_lifted() {
    let app = start().await;
    let person = app.person("client").await;
    let id = person.id.to_string();
    tell(
        &app,
        &id,
        UserBlocked {
            account_id: id.clone(),
            ..Default::default()
        },
    )
    .await;
    eventually(async || app.by(&person).get("/api/profile").await.status() == 401).await;
    let refused = app.sign_in(&person.email, &person.password, person.address).await;
    refused.expect_error(403, "INSUFFICIENT_PERMISSIONS");
    app.sign_in(&person.email, "wrong", person.address)
        .await
        .expect(401);
    tell(
        &app,
        &id,
        UserUnblocked {
            account_id: id.clone(),
            ..Default::default()
        },
    )
    .await;
    eventually(async || {
        app.sign_in(&person.email, &person.password, person.address)
            .await
            .status()
            == 200
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_guide_becomes_one_and_counters_count() {
    let app = start().await;
    let person = app.person("client").await;
    let id = person.id.to_string();
    tell(
        &app,
        &id,
        AppointmentBooked {
            client_id: id.clone(),
            ..Default::default()
        },
    )
    .await;
    tell(
        &app,
        &id,
        AppointmentCompleted {
            client_id: id.clone(),
            ..Default::default()
        },
    )
    .await;
    tell(
        &app,
        &id,
        GoalSet {
            account_id: id.clone(),
            ..Default::default()
        },
    )
    .await;
    tell(
        &app,
        &id,
        GoalCompleted {
            account_id: id.clone(),
            ..Default::default()
        },
    )
    .await;
    eventually(async || {
        let profile = app.by(&person).get("/profile/").await.expect(200).json();
        [
            "total_appointments",
            "completed_appointments",
            "goals_set",
            "goals_completed",
        ]
        .iter()
        .all(|counter| profile[counter] == 1)
    })
    .await;
    tell(
        &app,
        &id,
        GuideApproved {
            account_id: id.clone(),
            ..Default::default()
        },
    )
    .await;
    eventually(async || {
        let data = app
            .sign_in(&person.email, &person.password, person.address)
            .await
            .data();
        data["user"]["roles"] == json!(["client", "guide"])
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_picture_that_was_found_clean_is_the_profiles() {
    let app = start().await;
    let (person, other) = (app.person("client").await, app.person("client").await);
    let id = person.id.to_string();
    let changed = |n: u8| AvatarChanged {
        owner_id: id.clone(),
        url: format!("https://parlour.example/api/media/shared/{n}"),
        ..Default::default()
    };
    for n in [1, 2] {
        tell(&app, &id, changed(n)).await;
        eventually(async || {
            let profile = app.by(&person).get("/api/profile").await.expect(200).data();
            if profile["avatar_url"] == changed(n).url {
                Ok(())
            } else {
                Err(profile)
            }
        })
        .await;
    }
    let told: Vec<ProfileUpdated> = app.published("identity").await;
    let told: Vec<_> = told.iter().filter(|told| told.account_id == id).collect();
    let urls: Vec<&str> = told
        .iter()
        .rev()
        .take(2)
        .map(|told| told.avatar_url.as_str())
        .collect();
    assert_eq!(urls, [changed(2).url, changed(1).url], "the others hear of each");
    let profile = app.by(&other).get("/api/profile").await.expect(200).data();
    assert!(profile["avatar_url"].is_null(), "nobody else's");

    // Somebody who is gone by then gets none, and nothing is parked for it.
    let erase = PrivacyEraseRequested {
        account_id: id.clone(),
        ..Default::default()
    };
    tell(&app, &id, erase).await;
    tell(&app, &id, changed(3)).await;
    let handled = "SELECT count(*) FROM identity.inbox";
    let admin = app.database().admin().await;
    eventually(async || {
        let count: i64 = admin.query_one(handled, &[]).await.unwrap().get(0);
        if count == 4 { Ok(()) } else { Err(count) }
    })
    .await;
    let left = "SELECT count(*) FROM identity.profiles WHERE avatar_url IS NOT NULL";
    let left: i64 = admin.query_one(left, &[]).await.unwrap().get(0);
    assert_eq!(left, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_erased_person_leaves_nothing_but_an_id() {
    let app = start().await;
    let person = app.person("client").await;
    let id = person.id.to_string();
    let erase = PrivacyEraseRequested {
        account_id: id.clone(),
        ..Default::default()
    };
    tell(&app, &id, erase.clone()).await;
    tell(&app, &id, erase).await;
    eventually(async || {
        app.sign_in(&person.email, &person.password, person.address)
            .await
            .status()
            == 401
    })
    .await;
    let admin = app.database().admin().await;
    for table in [
        "profiles",
        "sessions",
        "refresh_tokens",
        "api_tokens",
        "single_use_tokens",
    ] {
        let sql = format!("SELECT count(*) FROM identity.{table}");
        let left: i64 = admin.query_one(&sql, &[]).await.unwrap().get(0);
        assert_eq!(left, 0, "{table}");
    }
    // The address is free again.
    let body = json!({ "email": person.email, "password": person.password });
    app.post("/api/auth/register").json(body).await.expect(201);
}

#[tokio::test(flavor = "multi_thread")]
async fn accounts_are_announced_again_for_a_service_that_came_later() {
    let app = App::start(&identity()).await;
    let people = [app.person("client").await, app.person("client").await];
    let context = parlour_chassis::Context::offline(parlour_identity::NAME, app.layers().clone()).unwrap();
    let state = parlour_identity::state::Identity::open(&context).await.unwrap();
    let before: Vec<ProfileUpdated> = app.published("identity").await;

    let announced = parlour_identity::operator::announce(&std::sync::Arc::new(state))
        .await
        .unwrap();

    assert_eq!(announced, people.len());
    let told: Vec<ProfileUpdated> = app.published("identity").await;
    let again = &told[before.len()..];
    for person in &people {
        let id = person.id.to_string();
        let last = before.iter().rfind(|told| told.account_id == id).unwrap();
        let now: Vec<_> = again.iter().filter(|told| told.account_id == id).collect();
        assert_eq!(now, [last], "told once more, as it was");
    }
    let contacts: Vec<ContactChanged> = app.published("identity").await;
    let last = contacts
        .iter()
        .rfind(|told| told.account_id == people[0].id.to_string())
        .unwrap();
    let place = format!("contact.email:{}", people[0].id);
    let address = crate::support::contacts(&app)
        .open_text(&place, &last.email_sealed)
        .unwrap();
    assert_eq!(address, people[0].email);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_requested_mail_carries_address_and_link_sealed() {
    let app = App::start(&identity()).await;
    let person = app.person("client").await;
    let mails: Vec<EmailRequested> = app.published("identity").await;
    let mail = mails.last().unwrap();
    assert_eq!((mail.template.as_str(), mails.len()), ("verify_email", 1));
    let place = |field: &str| format!("email_requested.{field}:{}", person.id);
    let to = contacts(&app)
        .open_text(&place("address"), &mail.address_sealed)
        .unwrap();
    assert_eq!(to, person.email);
    let token = mailed_token(&app, "verify_email").await;
    app.post("/api/auth/email/verify")
        .json(json!({ "token": token }))
        .await
        .expect(200);
}
