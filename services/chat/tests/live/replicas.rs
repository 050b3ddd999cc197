//! Several processes that behave as one.

use parlour_testkit::App;
use serde_json::{Value, json};

use crate::sock::Sock;
use crate::stage::{Stage, services};

#[tokio::test(flavor = "multi_thread")]
async fn everybody_hears_everything_once_and_in_order_wherever_it_was_said() {
    let stage = Stage::of(App::of(&services()).replicas(2)).await;
    let mut hearing = Vec::new();
    for (replica, person) in [
        (0, &stage.client),
        (1, &stage.client),
        (0, &stage.reader),
        (1, &stage.reader),
    ] {
        hearing.push(stage.joined_at(replica, person).await);
    }
    let posting = (0..60).map(|number| {
        let person = if number % 2 == 0 {
            &stage.client
        } else {
            &stage.reader
        };
        let client = stage.app.replica(number % 2).signed_in(&person.token);
        let body = json!({ "session_id": stage.session, "content": format!("{number}") });
        async move {
            let answer = client.post("/api/chat/messages").json(body).await;
            answer.expect(201).data()
        }
    });
    futures_util::future::join_all(posting).await;
    for sock in &mut hearing {
        let mut seen = Vec::new();
        for _ in 0..60 {
            seen.push(sock.next("new_message").await["seq"].as_i64().unwrap());
        }
        assert_eq!(seen, (1..=60).collect::<Vec<_>>());
        assert_eq!(sock.all("new_message").await, Vec::<Value>::new());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn somebody_leaves_when_the_last_of_their_connections_does() {
    let stage = Stage::of(App::of(&services()).replicas(2)).await;
    let mut client = stage.joined_at(0, &stage.client).await;
    let one = stage.joined_at(0, &stage.reader).await;
    let told = client.next("user_joined").await;
    assert_eq!(told["user_id"], json!(stage.reader.id));
    let mut two = stage.joined_at(1, &stage.reader).await;
    drop(one);
    two.done("send_message", stage.saying("still", "still here"))
        .await;
    client.next("new_message").await;
    assert_eq!(client.all("user_left").await.len(), 0);
    assert_eq!(
        client.all("user_joined").await.len(),
        0,
        "a second tab is no news"
    );
    two.done("leave_chat", json!({ "session_id": stage.session }))
        .await;
    assert_eq!(client.next("user_left").await["user_id"], json!(stage.reader.id));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_message_that_is_one_too_many_is_refused_whichever_way_it_comes() {
    let limit = json!({ "requests": 100, "seconds": 60, "burst": 100 });
    let app = App::of(&services()).replicas(2).set("limits.message", limit);
    let stage = Stage::of(app).await;
    let mut socks: Vec<Sock> = Vec::new();
    for replica in [0, 1] {
        socks.push(stage.joined_at(replica, &stage.client).await);
    }
    for number in 0..50 {
        let id = format!("s{number}");
        socks[number % 2]
            .done("send_message", stage.saying(&id, "by socket"))
            .await;
        let client = stage.app.replica(number % 2).signed_in(&stage.client.token);
        let body = json!({ "session_id": stage.session, "content": "by REST" });
        client.post("/api/chat/messages").json(body).await.expect(201);
    }
    for sock in &mut socks {
        let code = sock
            .refused("send_message", stage.saying("last", "one more"))
            .await;
        assert_eq!(code, "RATE_LIMIT_EXCEEDED");
    }
    let body = json!({ "session_id": stage.session, "content": "one more" });
    let answer = stage
        .app
        .by(&stage.client)
        .post("/api/chat/messages")
        .json(body)
        .await;
    answer.expect_error(429, "RATE_LIMIT_EXCEEDED");
}
