//! What the sockets of all replicas are told, through the real broker.

use std::sync::{Arc, Mutex};

use parlour_events::realtime::{Push, Target};
use parlour_events::{Broker, Realtime};
use parlour_testkit::{App, eventually};
use serde_json::json;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::services;
use crate::support::{Stage, id};

/// Everything that is pushed from now on.
pub(crate) async fn overheard(stage: &Stage) -> (Arc<Mutex<Vec<Push>>>, CancellationToken) {
    let broker: parlour_chassis::Settings = parlour_chassis::Settings::read(stage.app.layers()).unwrap();
    let realtime = Realtime::new(Broker::new(broker.broker.clone()).unwrap());
    let (heard, stop) = (Arc::new(Mutex::new(Vec::new())), CancellationToken::new());
    let into = heard.clone();
    let hear = move |push| into.lock().unwrap().push(push);
    let listen = realtime.subscribe(&["#"], hear, stop.clone());
    eventually(async || *listen.borrow()).await;
    (heard, stop)
}

#[tokio::test(flavor = "multi_thread")]
async fn what_changes_is_told_once_in_order() {
    let stage = Stage::of(App::of(&services()).with_vhost()).await;
    let (heard, stop) = overheard(&stage).await;
    let session = stage.session().await;
    let mut said = Vec::new();
    for n in 0..3 {
        let body = json!({ "session_id": session, "content": format!("m{n}"), "client_id": format!("c{n}") });
        said.push(stage.post(&stage.client, body.clone()).await.expect(201).data());
        // Said again it is not told again.
        stage.post(&stage.client, body).await.expect(201);
    }
    let read = format!("/api/chat/messages/{}/read", id(&said[2]));
    stage.app.by(&stage.reader).put(&read).await.expect(200);
    stage.app.by(&stage.reader).put(&read).await.expect(200);
    let named = |name: &str| -> Vec<Push> {
        let heard = heard.lock().unwrap();
        heard.iter().filter(|push| push.name == name).cloned().collect()
    };
    eventually(async || !named("messages_read").is_empty()).await;
    let messages = named("new_message");
    assert_eq!(messages.len(), 3);
    for (n, push) in messages.iter().enumerate() {
        assert_eq!(push.target, Target::Session(session));
        assert_eq!(push.payload["id"], said[n]["id"]);
        assert_eq!(push.payload["seq"], n + 1);
        assert_eq!(push.payload["content"], format!("m{n}"));
        assert_eq!(push.payload["sender"]["name"], "Cleo");
        assert_eq!(push.payload["timestamp"], said[n]["created_at"]);
    }
    let reads = named("messages_read");
    assert_eq!(reads.len(), 1);
    assert_eq!(
        (&reads[0].payload["seq"], &reads[0].payload["user_id"]),
        (&json!(3), &json!(stage.reader.id))
    );
    let joined: Vec<Target> = named("session_joined")
        .into_iter()
        .map(|push| push.target)
        .collect();
    assert_eq!(
        joined,
        [Target::User(stage.client.id), Target::User(stage.reader.id)]
    );
    stop.cancel();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_reaction_again_removes_it() {
    let stage = Stage::set().await;
    let session = stage.session().await;
    let said = id(&stage.said(&stage.client, session, "hello").await);
    let chat = chat(&stage);
    let react = async |user: Uuid, reaction: &str| {
        parlour_chat::reacting::react(&chat, user, session, said, reaction.to_owned()).await
    };
    assert!(react(stage.reader.id, "👍").await.unwrap().added);
    assert!(react(stage.client.id, "👍").await.unwrap().added);
    let page = stage.page(&stage.client, session, "").await;
    let reactions = &page["messages"][0]["message_reactions"];
    assert_eq!(reactions[0]["user_id"], json!(stage.reader.id));
    assert_eq!(reactions[0]["profiles"]["first_name"], "Rae");
    assert_eq!(reactions[1]["reaction"], "👍");
    assert!(!react(stage.reader.id, "👍").await.unwrap().added);
    let page = stage.page(&stage.client, session, "").await;
    assert_eq!(
        page["messages"][0]["message_reactions"].as_array().unwrap().len(),
        1
    );
    for n in 0..10 {
        react(stage.reader.id, &format!("r{n}")).await.unwrap();
    }
    assert!(matches!(
        react(stage.reader.id, "one more").await,
        Err(parlour_chat::error::Error::Field("reaction", _))
    ));
    assert!(matches!(
        react(stage.reader.id, "more").await,
        Err(parlour_chat::error::Error::Conflict(_))
    ));
    assert!(matches!(
        react(stage.monitor.id, "👍").await,
        Err(parlour_chat::error::Error::Denied)
    ));
    let told: Vec<parlour_contracts::chat::v1::ReactionChanged> = stage.app.published("chat").await;
    let added: Vec<bool> = told.iter().take(3).map(|event| event.added).collect();
    assert_eq!(added, [true, true, false]);
}

/// The service's parts, as its sockets have them, beside the running process.
pub(crate) fn chat(stage: &Stage) -> parlour_chat::state::Chat {
    let context = parlour_chassis::Context::offline("chat", stage.app.layers().clone()).unwrap();
    let settings: parlour_chat::settings::Settings = context.config().unwrap();
    let realtime = parlour_events::Realtime::new(context.broker.clone());
    let (pusher, _) = parlour_chat::pushing::Pusher::new(realtime, 10);
    parlour_chat::state::Chat::open(&context, settings, pusher).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn who_was_away_gets_what_came_since() {
    let stage = Stage::set().await;
    let session = stage.session().await;
    for n in 1..=7 {
        stage.said(&stage.client, session, &format!("m{n}")).await;
    }
    let chat = chat(&stage);
    let viewer = parlour_chat::viewer::Viewer::participant(stage.reader.id);
    let mut seen = Vec::new();
    let mut last = 2;
    loop {
        let part = parlour_chat::reading::after(&chat, &viewer, session, last, 3)
            .await
            .unwrap();
        let Some(end) = part.last() else { break };
        last = end.message.seq.unwrap();
        seen.extend(part.into_iter().map(|seen| seen.message.content));
    }
    assert_eq!(seen, ["m3", "m4", "m5", "m6", "m7"]);
    let found = parlour_chat::reading::membership(&chat, session, stage.reader.id)
        .await
        .unwrap();
    assert_eq!(
        (found.last_seq, found.last_read_seq, found.role.as_str()),
        (7, 0, "reader")
    );
    let stranger = parlour_chat::viewer::Viewer::participant(stage.monitor.id);
    let refused = parlour_chat::reading::after(&chat, &stranger, session, 0, 3).await;
    assert!(matches!(refused, Err(parlour_chat::error::Error::Denied)));
}
