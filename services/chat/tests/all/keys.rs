//! End-to-end keys, and conversations that take encrypted messages only.

use std::collections::BTreeSet;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use futures_util::future::join_all;
use parlour_contracts::chat::v1::{MessageSent, SessionCreated};
use parlour_testkit::App;
use serde_json::{Value, json};

use crate::services;
use crate::support::{Stage, id};

fn key(text: &str) -> String {
    STANDARD.encode(text)
}

fn bundle(device: &str, identity: &str, ids: std::ops::Range<i64>) -> Value {
    let prekeys: Vec<Value> = ids
        .map(|id| json!({ "id": id, "key": key(&format!("{device}-{id}")) }))
        .collect();
    json!({
        "device_id": device, "identity_key": key(identity),
        "signed_prekey": { "id": 1, "key": key("signed"), "signature": key("signature") },
        "one_time_prekeys": prekeys,
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_one_time_prekey_is_handed_out_once() {
    let stage = Stage::of(App::of(&services()).replicas(2)).await;
    let me = stage.app.by(&stage.reader);
    for device in ["phone", "desk"] {
        let kept = me
            .put("/api/chat/keys")
            .json(bundle(device, "identity", 0..20))
            .await;
        assert_eq!(kept.expect(200).data()["one_time_prekeys"], 20);
    }
    let path = format!("/api/chat/keys/{}", stage.reader.id);
    let fetches = (0..30).map(|n| {
        let client = stage.app.replica(n % 2).signed_in(&stage.client.token);
        let path = path.clone();
        async move { client.get(&path).await.expect(200).data() }
    });
    let mut handed = BTreeSet::new();
    let mut none = 0;
    for answer in join_all(fetches).await {
        let devices = answer["devices"].as_array().unwrap();
        assert_eq!(devices.len(), 2);
        for device in devices {
            assert_eq!(device["identity_key"], key("identity"));
            match device["one_time_prekey"]["key"].as_str() {
                Some(prekey) => assert!(handed.insert(prekey.to_owned()), "{prekey} twice"),
                None => none += 1,
            }
        }
    }
    assert_eq!((handed.len(), none), (40, 20));
    // What was handed out is not published again, and another identity begins anew.
    let again = me
        .put("/api/chat/keys")
        .json(bundle("phone", "identity", 0..21))
        .await;
    assert_eq!(again.expect(200).data()["one_time_prekeys"], 1);
    let anew = me
        .put("/api/chat/keys")
        .json(bundle("phone", "another", 0..3))
        .await;
    assert_eq!(anew.expect(200).data()["one_time_prekeys"], 3);
    let nobody = format!("/api/chat/keys/{}", stage.monitor.id);
    let none = stage.app.by(&stage.client).get(&nobody).await.expect(200).data();
    assert_eq!(none["devices"], json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_are_bounded() {
    let stage = Stage::set().await;
    let me = stage.app.by(&stage.client);
    for wrong in [
        json!({ "identity_key": "!!" }),
        json!({ "identity_key": STANDARD.encode([7; 2049]) }),
        json!({ "device_id": " " }),
        json!({ "signed_prekey": { "id": -1, "key": key("k"), "signature": key("s") } }),
        json!({ "one_time_prekeys": [{ "id": 1, "key": "=" }] }),
        bundle("d", "i", 0..101),
    ] {
        let mut body = bundle("d", "i", 0..1);
        for (name, value) in wrong.as_object().unwrap() {
            body[name] = value.clone();
        }
        me.put("/api/chat/keys")
            .json(body)
            .await
            .expect_error(400, "VALIDATION_ERROR");
    }
    for batch in 0..5 {
        let body = bundle("d0", "i", batch * 100..batch * 100 + 100);
        me.put("/api/chat/keys").json(body).await.expect(200);
    }
    let more = bundle("d0", "i", 500..501);
    me.put("/api/chat/keys")
        .json(more)
        .await
        .expect_error(409, "CONFLICT");
    for device in 1..10 {
        let body = bundle(&format!("d{device}"), "i", 0..1);
        me.put("/api/chat/keys").json(body).await.expect(200);
    }
    let eleventh = bundle("d10", "i", 0..1);
    me.put("/api/chat/keys")
        .json(eleventh)
        .await
        .expect_error(409, "CONFLICT");
    assert_eq!(stage.count("SELECT count(*) FROM chat.devices").await, 10);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_encrypted_conversation_takes_nothing_else_and_tells_nothing() {
    let stage = Stage::set().await;
    let body = json!({ "participants": [stage.reader.id], "metadata": { "encryption": "e2ee" } });
    let session = id(&stage.open(&stage.client, body).await.expect(201).data());
    stage
        .say(&stage.client, session, "plain")
        .await
        .expect_error(400, "VALIDATION_ERROR");
    let cipher = json!({ "session_id": session, "content": key("cipher"), "type": "encrypted" });
    stage.post(&stage.client, cipher.clone()).await.expect(201);
    assert_eq!(stage.contents(&stage.reader, session).await, [key("cipher")]);
    let told: Vec<MessageSent> = stage.app.published("chat").await;
    assert!(told[0].text_sealed.is_empty() && told[0].r#type == "encrypted");
    assert!(stage.app.published::<SessionCreated>("chat").await[0].encrypted);
    // And others take none of these.
    let plain = stage.session().await;
    let mut misplaced = cipher;
    misplaced["session_id"] = json!(plain);
    stage
        .post(&stage.client, misplaced)
        .await
        .expect_error(400, "VALIDATION_ERROR");
}
