//! Who sees what, and what the database keeps.

use parlour_db::{DbError, Scope, Tx};
use parlour_vault::Vault;
use serde_json::json;

use crate::support::{Stage, id};

#[tokio::test(flavor = "multi_thread")]
async fn what_people_wrote_is_in_no_table() {
    let stage = Stage::set().await;
    let body = json!({ "participants": [stage.reader.id], "metadata": { "note": "CANARY" } });
    let session = id(&stage.open(&stage.client, body).await.expect(201).data());
    let body =
        json!({ "session_id": session, "content": "my CANARY sings", "metadata": { "mood": "CANARY" } });
    let send = stage
        .app
        .by(&stage.client)
        .post("/api/chat/messages")
        .json(body)
        .idempotency_key("k");
    send.await.expect(201);
    let page = stage.page(&stage.reader, session, "").await;
    assert_eq!(page["messages"][0]["metadata"], json!({ "mood": "CANARY" }));
    let admin = stage.app.database().admin().await;
    let tables = admin
        .query(
            "SELECT tablename::text FROM pg_tables WHERE schemaname = 'chat' ORDER BY 1",
            &[],
        )
        .await
        .unwrap();
    assert!(tables.len() > 15);
    for table in tables {
        let table: String = table.get(0);
        let sql = format!(
            "SELECT count(*) FROM chat.\"{table}\" t
             WHERE position('canary' in lower(t::text)) > 0
                OR position(encode('CANARY', 'hex') in t::text) > 0"
        );
        assert_eq!(stage.count(&sql).await, 0, "{table}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn those_with_the_contacts_key_read_what_they_are_told() {
    let stage = Stage::set().await;
    let session = stage.session().await;
    let said = stage.said(&stage.client, session, "scan me").await;
    let settings: parlour_vault::Settings = {
        #[derive(serde::Deserialize)]
        struct Contacts {
            #[serde(flatten)]
            vault: parlour_vault::Settings,
        }
        impl parlour_config::Part for Contacts {}
        stage.app.layers().part::<Contacts>("contacts").unwrap().vault
    };
    let told: Vec<parlour_contracts::chat::v1::MessageSent> = stage.app.published("chat").await;
    let place = format!("chat.message:{}", said["id"].as_str().unwrap());
    let text = Vault::new(&settings)
        .unwrap()
        .open_text(&place, &told[0].text_sealed);
    assert_eq!(text.unwrap(), "scan me");
}

/// Whatever a handler forgets, the database does not show one person's rows to another.
#[tokio::test(flavor = "multi_thread")]
async fn row_level_security_holds_for_the_services_own_role() {
    let stage = Stage::set().await;
    let session = stage.session_of(&stage.client, &[&stage.reader]).await;
    let direct = json!({ "session_type": "direct", "participants": [stage.reader.id] });
    stage.open(&stage.client, direct).await.expect(201);
    let said = stage.said(&stage.client, session, "hello").await;
    let message = id(&said);
    stage
        .sql(&format!(
            "INSERT INTO chat.reactions SELECT session_id, seq, sender_id, '👍', now() FROM chat.messages;
             INSERT INTO chat.held_messages (session_id, id, sender_id, kind, sealed, review, scan, created_at)
             SELECT session_id, id, sender_id, kind, sealed, true, false, created_at FROM chat.messages;
             INSERT INTO chat.files VALUES ('{message}', '{}', 'ready', NULL, NULL, now());
             INSERT INTO chat.bookings VALUES ('{message}', '{}', '{}', 'a', 'b', 'assigned', NULL)",
            stage.client.id, stage.client.id, stage.reader.id
        ))
        .await;
    let count = |scope: Scope, table: &'static str| {
        let db = stage.app.database().db("chat");
        async move {
            db.read(scope, async move |tx: &mut Tx| -> Result<i64, DbError> {
                use diesel_async::RunQueryDsl as _;
                let sql = format!("(SELECT count(*) FROM {table})");
                let query = diesel::select(diesel::dsl::sql::<diesel::sql_types::BigInt>(&sql));
                Ok(query.get_result(tx).await?)
            })
            .await
            .unwrap()
        }
    };
    let (client, reader) = (Scope::Person(stage.client.id), Scope::Person(stage.reader.id));
    for (table, rows, others) in [
        ("sessions", 2, 2),
        ("participants", 4, 4),
        ("messages", 1, 1),
        ("reactions", 1, 1),
        ("held_messages", 1, 0),
        ("files", 1, 0),
        ("bookings", 1, 1),
        ("direct_pairs", 1, 1),
    ] {
        for (scope, sees) in [
            (client, rows),
            (reader, others),
            (Scope::Person(stage.monitor.id), 0),
            (Scope::Nobody, 0),
            (Scope::Service, rows),
        ] {
            assert_eq!(count(scope, table).await, sees, "{table} {scope:?}");
        }
    }
    // The functions leave nothing open behind them.
    let db = stage.app.database().db("chat");
    let seen = db.write(client, async move |tx: &mut Tx| -> Result<i64, DbError> {
        use diesel_async::RunQueryDsl as _;
        let stranger = uuid::Uuid::now_v7();
        let door = format!("(SELECT count(*) FROM session_door('{session}', '{stranger}', false))");
        let query = diesel::select(diesel::dsl::sql::<diesel::sql_types::BigInt>(&door));
        assert_eq!(query.get_result::<i64>(tx).await?, 1);
        let query =
            "(SELECT count(*) FROM held_messages WHERE current_setting('parlour.service', true) = 'on')";
        let query = diesel::select(diesel::dsl::sql::<diesel::sql_types::BigInt>(query));
        Ok(query.get_result(tx).await?)
    });
    assert_eq!(seen.await.unwrap(), 0);
}
