//! SafeTalk's paths.

use futures_util::future::join_all;
use parlour_contracts::chat::v1::{MemberJoined, MemberLeft};
use parlour_testkit::App;
use serde_json::json;
use uuid::Uuid;

use crate::services;
use crate::support::{Stage, id, numbers, strings};

#[tokio::test(flavor = "multi_thread")]
async fn messages_are_sent_and_listed_over_all_conversations() {
    let stage = Stage::set().await;
    let (one, other) = (stage.session().await, stage.session().await);
    let say = async |session: Uuid, content: &str| {
        let path = format!("/chat/session/{session}/");
        let body = json!({ "content": content, "message_type": "text" });
        stage
            .app
            .by(&stage.client)
            .post(&path)
            .json(body)
            .await
            .expect(201)
            .json()
    };
    let sent = say(one, "a").await;
    assert_eq!((&sent["status"], &sent["content"]), (&json!("sent"), &json!("a")));
    assert_eq!(sent["sender"]["name"], "Cleo");
    say(other, "b").await;
    say(one, "c").await;
    let list = async |by, query: &str| {
        stage
            .app
            .by(by)
            .get(&format!("/chat/messages/{query}"))
            .await
            .expect(200)
            .json()
    };
    let all = list(&stage.reader, "").await;
    assert_eq!(strings(&all["messages"], "content"), ["c", "b", "a"]);
    assert_eq!(
        (&all["total_pages"], &all["has_next"]),
        (&json!(1), &json!(false))
    );
    let second = list(&stage.reader, "?page=2&per_page=2").await;
    assert_eq!(strings(&second["messages"], "content"), ["a"]);
    assert_eq!(
        (&second["current_page"], &second["has_previous"]),
        (&json!(2), &json!(true))
    );
    let read = format!("/api/chat/messages/{}/read", id(&sent));
    stage.app.by(&stage.reader).put(&read).await.expect(200);
    for person in [&stage.client, &stage.reader] {
        assert_eq!(
            strings(&list(person, "").await["messages"], "status"),
            ["sent", "sent", "read"]
        );
    }
    let stranger = stage.another("client", "Sue").await;
    assert_eq!(list(&stranger, "").await["messages"], json!([]));
    let path = format!("/chat/session/{one}/");
    let answer = stage
        .app
        .by(&stranger)
        .post(&path)
        .json(json!({ "content": "x" }))
        .await;
    let told = answer.expect_error(403, "CHAT_ACCESS_DENIED").json();
    assert!(told.get("success").is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_chat_is_started_once_and_not_by_a_page_of_another_site() {
    let stage = Stage::set().await;
    let path = format!("/chat/start-chat/{}/", stage.reader.id);
    let started = stage.app.by(&stage.client).get(&path).await.expect(200).json();
    let session = started["session_id"].as_str().unwrap();
    assert_eq!(started["redirect_url"], format!("/chat/session/{session}/"));
    assert_eq!(
        stage.app.by(&stage.client).get(&path).await.expect(200).json(),
        started
    );
    let cookie = format!("parlour_session={}", stage.client.token);
    let by_cookie = || stage.app.get(&path).header("cookie", &cookie);
    by_cookie().await.expect_error(403, "INSUFFICIENT_PERMISSIONS");
    let foreign = by_cookie()
        .header("origin", "https://evil.example")
        .header("sec-fetch-site", "cross-site");
    foreign.await.expect_error(403, "INSUFFICIENT_PERMISSIONS");
    by_cookie()
        .header("sec-fetch-site", "same-origin")
        .await
        .expect(200);
    // A token that may only read opens nothing.
    let reading = stage.app.api_token(&stage.client, &["chat:read"]).await;
    let answer = stage.app.client().signed_in(reading).get(&path).await;
    answer.expect_error(403, "INSUFFICIENT_PERMISSIONS");
    let client = stage.another("client", "Cy").await;
    let path = format!("/chat/start-chat/{}/", client.id);
    let refused = stage.app.by(&stage.client).get(&path).await;
    refused.expect_error(403, "INSUFFICIENT_PERMISSIONS");
}

#[tokio::test(flavor = "multi_thread")]
async fn groups_are_joined_talked_in_and_left() {
    let stage = Stage::of(App::of(&services()).replicas(2)).await;
    let body = json!({ "name": "Sleep", "description": "For the tired", "category": "health" });
    let made = stage
        .app
        .by(&stage.monitor)
        .post("/chat/groups/")
        .json(body)
        .await
        .expect(201)
        .json();
    assert_eq!(made["member_count"], 0);
    let group = id(&made);
    let path = |what: &str| format!("/chat/groups/{group}/{what}/");
    let say = |content: &str| {
        let me = stage.app.by(&stage.client);
        me.post(&path("chat")).json(json!({ "content": content }))
    };
    say("hi").await.expect_error(403, "CHAT_ACCESS_DENIED");
    stage
        .app
        .by(&stage.client)
        .get(&path("chat"))
        .await
        .expect_error(403, "CHAT_ACCESS_DENIED");
    let joins = (0..10).map(|n| {
        let who = if n % 2 == 0 { &stage.client } else { &stage.reader };
        let client = stage.app.replica(n % 2).signed_in(&who.token);
        let path = path("join");
        async move { client.post(&path).await.expect(200).json() }
    });
    join_all(joins).await;
    let list = stage
        .app
        .by(&stage.reader)
        .get("/chat/groups/")
        .await
        .expect(200)
        .json();
    assert_eq!(numbers(&list["groups"], "member_count"), [2]);
    assert_eq!(list["groups"][0]["category"], "health");
    say("hi").await.expect(201);
    say("anybody there?").await.expect(201);
    let page = stage
        .app
        .by(&stage.reader)
        .get(&format!("{}?per_page=1", path("chat")))
        .await;
    let page = page.expect(200).json();
    assert_eq!(strings(&page["messages"], "content"), ["anybody there?"]);
    assert_eq!(
        (&page["total_pages"], &page["has_next"]),
        (&json!(2), &json!(true))
    );
    for _ in 0..2 {
        let left = stage
            .app
            .by(&stage.client)
            .post(&path("leave"))
            .await
            .expect(200)
            .json();
        assert_eq!(
            (&left["joined"], &left["member_count"]),
            (&json!(false), &json!(1))
        );
    }
    say("still here?").await.expect_error(403, "CHAT_ACCESS_DENIED");
    let nowhere = format!("/chat/groups/{}/join/", Uuid::now_v7());
    stage
        .app
        .by(&stage.client)
        .post(&nowhere)
        .await
        .expect_error(404, "RESOURCE_NOT_FOUND");
    assert_eq!(stage.app.published::<MemberJoined>("chat").await.len(), 2);
    assert_eq!(stage.app.published::<MemberLeft>("chat").await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_group_has_an_end() {
    let stage = Stage::of(App::of(&services()).set("chat.most_members", 2)).await;
    let made = stage
        .app
        .by(&stage.monitor)
        .post("/chat/groups/")
        .json(json!({ "name": "Few" }))
        .await;
    let path = format!("/chat/groups/{}/join/", id(&made.expect(201).json()));
    let mut people = vec![stage.client.clone(), stage.reader.clone()];
    for name in ["Cy", "Sue"] {
        people.push(stage.another("client", name).await);
    }
    let joins = people.iter().map(|person| {
        let client = stage.app.by(person);
        let path = path.clone();
        async move { client.post(&path).await.status() }
    });
    let mut statuses = join_all(joins).await;
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 200, 409, 409]);
    assert_eq!(stage.count("SELECT count(*) FROM chat.participants").await, 2);
}
