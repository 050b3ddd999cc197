//! Opening conversations, and who sees them.

use futures_util::future::join_all;
use parlour_contracts::chat::v1::SessionCreated;
use parlour_contracts::{Level, Role};
use parlour_testkit::App;
use serde_json::json;
use uuid::Uuid;

use crate::services;
use crate::support::{Stage, id};

#[tokio::test(flavor = "multi_thread")]
async fn a_conversation_is_shown_to_those_who_take_part_and_to_monitors() {
    let stage = Stage::set().await;
    let body = json!({ "participants": [stage.reader.id], "metadata": { "topic": "stars" } });
    let opened = stage.open(&stage.client, body).await.expect(201).data();
    assert_eq!(opened["session_type"], "general");
    assert_eq!(opened["status"], "active");
    assert_eq!(opened["participants"], json!([stage.client.id, stage.reader.id]));
    assert_eq!(opened["metadata"], json!({ "topic": "stars" }));
    let path = format!("/api/chat/sessions/{}", id(&opened));
    for person in [&stage.client, &stage.reader, &stage.monitor] {
        let seen = stage.app.by(person).get(&path).await.expect(200).data();
        assert_eq!(seen["participant_profiles"][1]["first_name"], "Rae");
        assert_eq!(seen["participant_profiles"][1]["role"], "reader");
    }
    for role in ["client", "reader", "support", "guide"] {
        let stranger = stage.app.person(role).await;
        stage
            .app
            .by(&stranger)
            .get(&path)
            .await
            .expect_error(403, "CHAT_ACCESS_DENIED");
        stage
            .say(&stranger, id(&opened), "hi")
            .await
            .expect_error(403, "CHAT_ACCESS_DENIED");
        let messages = format!("/api/chat/messages?session_id={}", id(&opened));
        stage
            .app
            .by(&stranger)
            .get(&messages)
            .await
            .expect_error(403, "CHAT_ACCESS_DENIED");
    }
    // Who only looks does not talk.
    stage
        .say(&stage.monitor, id(&opened), "hi")
        .await
        .expect_error(403, "CHAT_ACCESS_DENIED");
    let nowhere = Uuid::now_v7();
    let path = format!("/api/chat/sessions/{nowhere}");
    stage
        .app
        .by(&stage.client)
        .get(&path)
        .await
        .expect_error(404, "SESSION_NOT_FOUND");
    stage
        .say(&stage.client, nowhere, "hi")
        .await
        .expect_error(404, "SESSION_NOT_FOUND");
    let told: Vec<SessionCreated> = stage.app.published("chat").await;
    assert_eq!(told.len(), 1);
    assert_eq!(told[0].actor_id, stage.client.id.to_string());
}

#[tokio::test(flavor = "multi_thread")]
async fn who_may_open_with_whom() {
    let stage = Stage::set().await;
    let (client, reader) = (
        stage.another("client", "Cy").await,
        stage.another("reader", "Rex").await,
    );
    let with = |person: Uuid| json!({ "participants": [person] });
    for (by, other, status) in [
        (&stage.client, reader.id, 201),
        (&stage.reader, client.id, 201),
        (&stage.monitor, client.id, 201),
        (&stage.monitor, reader.id, 201),
        (&stage.client, client.id, 403),
        (&stage.reader, reader.id, 403),
        (&stage.client, stage.monitor.id, 403),
    ] {
        let answer = stage.open(by, with(other)).await;
        assert_eq!(answer.status(), status, "{} {other}", by.id);
        if status == 403 {
            answer.expect_error(403, "INSUFFICIENT_PERMISSIONS");
        }
    }
    // Three of whom two may not talk.
    let three = json!({ "participants": [stage.client.id, client.id] });
    stage
        .open(&stage.reader, three)
        .await
        .expect_error(403, "INSUFFICIENT_PERMISSIONS");
    // In a group they meet.
    let group = stage
        .app
        .by(&stage.monitor)
        .post("/chat/groups/")
        .json(json!({ "name": "Sleep" }))
        .await;
    let join = format!("/chat/groups/{}/join/", id(&group.expect(201).json()));
    for person in [&stage.client, &client] {
        stage.app.by(person).post(&join).await.expect(200);
    }
    stage.open(&stage.client, with(client.id)).await.expect(201);
    for wrong in [
        json!({ "participants": [stage.client.id] }),
        json!({ "participants": [Uuid::now_v7()] }),
        json!({ "participants": [stage.reader.id, stage.reader.id] }),
        json!({ "participants": [] }),
        json!({}),
        json!({ "participants": ["x"] }),
        json!({ "session_type": "group", "participants": [stage.reader.id] }),
        json!({ "session_type": "booking" }),
        json!({ "session_type": "direct", "participants": [] }),
        json!({ "participants": [stage.reader.id], "metadata": { "encryption": "rot13" } }),
        json!({ "participants": [stage.reader.id], "metadata": { "x": "y".repeat(17_000) } }),
    ] {
        stage
            .open(&stage.client, wrong)
            .await
            .expect_error(400, "VALIDATION_ERROR");
    }
    let unknown = json!({ "booking_id": Uuid::now_v7() });
    stage
        .open(&stage.client, unknown)
        .await
        .expect_error(404, "RESOURCE_NOT_FOUND");
    // Help needs nobody to be named.
    stage
        .open(&stage.client, json!({ "session_type": "support" }))
        .await
        .expect(201);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_people_have_one_direct_conversation() {
    let stage = Stage::of(App::of(&services()).replicas(2)).await;
    let opens = (0..20).map(|n| {
        let (by, other) = if n % 2 == 0 {
            (&stage.client, stage.reader.id)
        } else {
            (&stage.reader, stage.client.id)
        };
        let client = stage.app.replica(n % 2).signed_in(&by.token);
        let body = json!({ "session_type": "direct", "participants": [other] });
        async move { client.post("/api/chat/sessions").json(body).await }
    });
    let answers = join_all(opens).await;
    let created = answers.iter().filter(|answer| answer.status() == 201).count();
    assert_eq!(created, 1);
    let first = answers[0].data()["id"].clone();
    assert!(answers.iter().all(|answer| answer.data()["id"] == first));
    let path = format!("/chat/start-chat/{}/", stage.reader.id);
    let started = stage.app.by(&stage.client).get(&path).await.expect(200).json();
    assert_eq!(started["session_id"], first);
    assert_eq!(stage.app.published::<SessionCreated>("chat").await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_are_filtered_and_paged() {
    let stage = Stage::set().await;
    let mut ids = Vec::new();
    for _ in 0..5 {
        ids.push(stage.session().await);
    }
    stage
        .said(&stage.client, ids[0], "the last active comes first")
        .await;
    let list = async |query: &str| {
        let path = format!("/api/chat/sessions{query}");
        stage.app.by(&stage.reader).get(&path).await.expect(200).data()
    };
    let first = list("?limit=2").await;
    assert_eq!(first["pagination"]["total"], 5);
    assert_eq!(id(&first["sessions"][0]), ids[0]);
    let cursor = first["pagination"]["next_cursor"].as_str().unwrap();
    let second = list(&format!("?limit=2&cursor={cursor}")).await;
    assert_eq!(
        [id(&second["sessions"][0]), id(&second["sessions"][1])],
        [ids[3], ids[2]]
    );
    assert_eq!(list("?limit=2&page=2").await["sessions"], second["sessions"]);
    assert_eq!(list("?status=ended").await["pagination"]["total"], 0);
    assert_eq!(list("?status=all").await["pagination"]["total"], 5);
    let wrong = stage
        .app
        .by(&stage.reader)
        .get("/api/chat/sessions?status=x")
        .await;
    wrong.expect_error(400, "VALIDATION_ERROR");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_countrys_admin_sees_the_conversations_of_its_people() {
    let stage = Stage::set().await;
    let session = stage.session().await;
    let admin = stage.app.person_with(&[Role::Admin], &[]).await;
    let path = format!("/api/chat/sessions/{session}");
    stage.app.by(&admin).get(&path).await.expect(200);
    for (country, status) in [("SE", 200), ("FR", 403)] {
        stage
            .sql(&format!(
                "UPDATE identity.accounts SET level = '{}', country_scope = '{country}' WHERE id = '{}'",
                Level::CountryAdmin.name(),
                admin.id
            ))
            .await;
        let again = stage
            .app
            .sign_in(&admin.email, &admin.password, admin.address)
            .await;
        let token = again.expect(200).data()["access_token"]
            .as_str()
            .unwrap()
            .to_owned();
        let seen = stage.app.client().signed_in(token).get(&path).await;
        assert_eq!(seen.status(), status, "{country}");
    }
}
