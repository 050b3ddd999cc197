//! `/api/notifications/realtime/…`, and what reaches the sockets.

use chrono::{Duration, Utc};
use parlour_chassis::Clock;
use parlour_events::realtime::{Push, Target};
use parlour_events::{Broker, BrokerSettings, Realtime};
use parlour_testkit::{App, eventually, eventually_eq};
use serde_json::{Value, json};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::support::{builder, delivery, known, live, number, quiet};

/// Everything that is pushed to the sockets of an app's people.
async fn listen(app: &App) -> (mpsc::UnboundedReceiver<Push>, CancellationToken) {
    let broker = Broker::new(BrokerSettings::at(app.vhost().url(None))).unwrap();
    let (sender, receiver) = mpsc::unbounded_channel();
    let stop = CancellationToken::new();
    let handler = move |push: Push| sender.send(push).unwrap();
    let mut up = Realtime::new(broker).subscribe(&["user.*"], handler, stop.clone());
    up.wait_for(|up| *up).await.unwrap();
    (receiver, stop)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_notification_is_pushed_as_the_list_shows_it_and_so_is_that_it_was_read() {
    let app = live().await;
    let (admin, ana) = (app.person("admin").await, known(&app, "client").await);
    let (mut pushes, _stop) = listen(&app).await;
    let body =
        json!({ "user_ids": [ana.id], "type": "note", "title": "🌙", "message": "M", "data": { "a": 1 } });
    app.by(&admin)
        .post("/api/notifications/send")
        .json(body)
        .await
        .expect(201);
    let push = pushes.recv().await.unwrap();
    assert_eq!(
        (&push.target, push.name.as_str()),
        (&Target::User(ana.id), "notification")
    );
    let listed = crate::support::list(&app, &ana).await[0].clone();
    assert_eq!(push.payload, listed);
    let sent = async || delivery(&app, &admin, &listed["id"], "socket").await["status"] == "sent";
    eventually(sent).await;
    app.by(&ana)
        .put(&format!(
            "/api/notifications/{}/read",
            listed["id"].as_str().unwrap()
        ))
        .await
        .expect(200);
    let push = pushes.recv().await.unwrap();
    assert_eq!(
        (push.name.as_str(), &push.payload),
        ("notification_read", &json!({ "id": listed["id"], "unread": 0 }))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_dead_process_did_not_push_another_one_does() {
    let (clock, hands) = Clock::manual(Utc::now());
    let app = builder().clock(clock).with_vhost().start().await;
    let (admin, ana) = (app.person("admin").await, known(&app, "client").await);
    let body = json!({ "user_ids": [ana.id], "type": "note", "title": "T", "message": "M" });
    let data = app
        .by(&admin)
        .post("/api/notifications/send")
        .json(body)
        .await
        .expect(201)
        .data();
    let id = &data["notifications"][0]["id"];
    eventually(async || delivery(&app, &admin, id, "socket").await["status"] == "sent").await;
    // As it stands when the process dies right after the commit.
    let client = app.database().admin().await;
    let undo = "UPDATE notify.deliveries SET status = 'sending', sent_at = NULL WHERE channel = 'socket'";
    client.execute(undo, &[]).await.unwrap();
    let (mut pushes, _stop) = listen(&app).await;
    hands.advance(Duration::seconds(121));
    let push = pushes.recv().await.unwrap();
    assert_eq!(push.payload["id"], *id);
    eventually(async || delivery(&app, &admin, id, "socket").await["status"] == "sent").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn while_the_broker_is_away_pushes_wait_and_requests_do_not() {
    let app = builder()
        .with_vhost()
        .with_faults()
        .set("notify.dispatch.retry_seconds", 1)
        .start()
        .await;
    let (admin, ana) = (app.person("admin").await, known(&app, "client").await);
    let (mut pushes, _stop) = listen(&app).await;
    app.broker_line().refuse();
    app.broker_line().cut();
    let body = json!({ "user_ids": [ana.id], "type": "note", "title": "T", "message": "M" });
    let data = app
        .by(&admin)
        .post("/api/notifications/send")
        .json(body)
        .await
        .expect(201)
        .data();
    let id = &data["notifications"][0]["id"];
    eventually(async || delivery(&app, &admin, id, "socket").await["reason"] == "retry").await;
    app.broker_line().pass();
    assert_eq!(pushes.recv().await.unwrap().payload["id"], *id);
}

#[tokio::test(flavor = "multi_thread")]
async fn rooms_count_their_members_over_all_replicas() {
    let (clock, hands) = Clock::manual(Utc::now());
    let app = builder().clock(clock).replicas(2).start().await;
    let (monitor, ana, bob) = (
        app.person("monitor").await,
        app.person("client").await,
        app.person("client").await,
    );
    let join = |replica: usize, person: &parlour_testkit::Person, room: &str| {
        let client = app.replica(replica).signed_in(&person.token).from(person.address);
        client
            .post("/api/notifications/realtime/join-room")
            .json(json!({ "room": room }))
    };
    let own = join(0, &ana, "user:self").await.expect(200).data();
    assert_eq!(own, json!({ "room": format!("user:{}", ana.id) }));
    join(0, &ana, "announcements").await.expect(200);
    join(1, &bob, "announcements").await.expect(200);
    join(1, &bob, "announcements").await.expect(200);
    join(0, &ana, "role:user").await.expect(200);
    for foreign in [
        "role:admin",
        "user:018f0000-0000-7000-8000-000000000000",
        "session:x",
        "secret",
        "role:king",
    ] {
        join(0, &ana, foreign)
            .await
            .expect_error(403, "INSUFFICIENT_PERMISSIONS");
    }
    let active = async || {
        let data = app
            .by(&monitor)
            .get("/api/notifications/realtime/active-rooms")
            .await
            .expect(200)
            .data();
        let rooms = data["rooms"].as_array().unwrap().clone();
        rooms
            .iter()
            .map(|r| {
                (
                    r["room"].as_str().unwrap().to_owned(),
                    r["members"].as_i64().unwrap(),
                )
            })
            .collect::<Vec<_>>()
    };
    let rooms = active().await;
    assert_eq!(
        (rooms[0].clone(), rooms.len()),
        (("announcements".to_owned(), 2), 3)
    );
    let leave = json!({ "room": "announcements" });
    app.by(&ana)
        .post("/api/notifications/realtime/leave-room")
        .json(&leave)
        .await
        .expect(200);
    app.by(&ana)
        .post("/api/notifications/realtime/leave-room")
        .json(&leave)
        .await
        .expect(200);
    assert!(active().await.contains(&("announcements".to_owned(), 1)));
    hands.advance(Duration::seconds(200));
    join(1, &bob, "announcements").await.expect(200);
    hands.advance(Duration::seconds(200));
    assert_eq!(
        active().await,
        [("announcements".to_owned(), 1)],
        "seats that are not renewed end"
    );
    app.run_job("notify", "sweep_rooms").await;
    assert_eq!(number(&app, "SELECT count(*) FROM notify.room_seats").await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn joining_tells_the_persons_sockets() {
    let app = live().await;
    let ana = app.person("client").await;
    let (mut pushes, _stop) = listen(&app).await;
    let body = json!({ "room": "user:self" });
    app.by(&ana)
        .post("/api/notifications/realtime/join-room")
        .json(&body)
        .await
        .expect(200);
    let push = pushes.recv().await.unwrap();
    assert_eq!(
        (push.name.as_str(), &push.payload["room"]),
        ("join_room", &json!(format!("user:{}", ana.id)))
    );
    app.by(&ana)
        .post("/api/notifications/realtime/leave-room")
        .json(&body)
        .await
        .expect(200);
    assert_eq!(pushes.recv().await.unwrap().name, "leave_room");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_test_reaches_the_list() {
    let app = quiet().await;
    let ana = known(&app, "client").await;
    let data = app
        .by(&ana)
        .post("/api/notifications/realtime/test")
        .await
        .expect(201)
        .data();
    assert_eq!(data["notification"]["type"], "test_notification");
    let listed: Vec<Value> = crate::support::list(&app, &ana).await;
    assert_eq!(listed, [data["notification"].clone()]);
    eventually_eq(0, async || {
        number(
            &app,
            "SELECT count(*) FROM notify.deliveries WHERE channel = 'email'",
        )
        .await
    })
    .await;
}
