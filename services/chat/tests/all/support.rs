//! A stage with people on it, and short ways to put conversations where a test needs them.

use parlour_contracts::{Event, Role};
use parlour_db::{DbError, Scope, Tx};
use parlour_testkit::{Answer, App, AppBuilder, Person};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::services;

/// Everybody whom a conversation needs.
pub(crate) struct Stage {
    pub(crate) app: App,
    pub(crate) client: Person,
    pub(crate) reader: Person,
    pub(crate) monitor: Person,
}

impl Stage {
    /// Without a broker.
    pub(crate) async fn set() -> Self {
        Self::of(App::of(&services())).await
    }

    /// With whatever the builder says.
    pub(crate) async fn of(builder: AppBuilder) -> Self {
        let app = builder.start().await;
        let stage = Self {
            client: app.person("client").await,
            reader: app.person("reader").await,
            monitor: app.person("monitor").await,
            app,
        };
        stage.knows(&stage.client, "client", "Cleo").await;
        stage.knows(&stage.reader, "reader", "Rae").await;
        stage.knows(&stage.monitor, "monitor", "Mo").await;
        stage
    }

    /// Somebody else, who is known.
    pub(crate) async fn another(&self, role: &str, name: &str) -> Person {
        let person = self.app.person(role).await;
        self.knows(&person, role, name).await;
        person
    }

    /// Has the directory know somebody, as it would from identity's events; with a broker
    /// those may have come before.
    pub(crate) async fn knows(&self, person: &Person, role: &str, name: &str) {
        let role: Role = role.parse().unwrap();
        self.sql(&format!(
            "INSERT INTO chat.people (id, display_name, first_name, roles, country, locale, specialities, status, version)
             VALUES ('{}', '{name}', '{name}', '{{{role}}}', 'SE', 'en', '{{}}', 'active', 1000000)
             ON CONFLICT (id) DO UPDATE SET display_name = excluded.display_name, roles = excluded.roles,
               first_name = excluded.first_name, version = excluded.version",
            person.id
        ))
        .await;
    }

    /// A conversation of the client and the reader.
    pub(crate) async fn session(&self) -> Uuid {
        self.session_of(&self.client, &[&self.reader]).await
    }

    /// A conversation that somebody opens with others.
    pub(crate) async fn session_of(&self, by: &Person, others: &[&Person]) -> Uuid {
        let others: Vec<Uuid> = others.iter().map(|person| person.id).collect();
        let answer = self.open(by, json!({ "participants": others })).await;
        id(&answer.expect(201).data())
    }

    /// `POST /api/chat/sessions`
    pub(crate) async fn open(&self, by: &Person, body: Value) -> Answer {
        self.app.by(by).post("/api/chat/sessions").json(body).await
    }

    /// Says something; whatever comes of it.
    pub(crate) async fn say(&self, by: &Person, session: Uuid, content: &str) -> Answer {
        self.post(by, json!({ "session_id": session, "content": content }))
            .await
    }

    /// `POST /api/chat/messages`
    pub(crate) async fn post(&self, by: &Person, body: Value) -> Answer {
        self.app.by(by).post("/api/chat/messages").json(body).await
    }

    /// Says something that is taken; the message.
    pub(crate) async fn said(&self, by: &Person, session: Uuid, content: &str) -> Value {
        self.say(by, session, content).await.expect(201).data()
    }

    /// A page of messages.
    pub(crate) async fn page(&self, by: &Person, session: Uuid, query: &str) -> Value {
        let path = format!("/api/chat/messages?session_id={session}{query}");
        self.app.by(by).get(&path).await.expect(200).data()
    }

    /// The contents of the newest messages that somebody sees.
    pub(crate) async fn contents(&self, by: &Person, session: Uuid) -> Vec<String> {
        let page = self.page(by, session, "&limit=100").await;
        strings(&page["messages"], "content")
    }

    /// Runs SQL as somebody whom nothing is hidden from.
    pub(crate) async fn sql(&self, sql: &str) {
        self.app
            .database()
            .admin()
            .await
            .batch_execute(sql)
            .await
            .unwrap();
    }

    /// One number that SQL answers.
    pub(crate) async fn count(&self, sql: &str) -> i64 {
        let row = self.app.database().admin().await.query_one(sql, &[]).await;
        row.unwrap().get(0)
    }

    /// Publishes as another service would; whose outbox it goes through is all the same to the consumer.
    pub(crate) async fn tell<E: Event + Clone + 'static>(&self, aggregate: String, event: E) {
        let publish = async move |tx: &mut Tx| -> Result<(), DbError> {
            parlour_events::publish(tx, aggregate, &event).await.map(drop)
        };
        let db = self.app.database().db("identity");
        db.write(Scope::Service, publish).await.unwrap();
    }
}

/// The `id` of something.
pub(crate) fn id(value: &Value) -> Uuid {
    value["id"].as_str().unwrap().parse().unwrap()
}

/// The texts of a field of each of a list.
pub(crate) fn strings(list: &Value, field: &str) -> Vec<String> {
    let items = list.as_array().unwrap().iter();
    items
        .map(|item| item[field].as_str().unwrap().to_owned())
        .collect()
}

/// The numbers of a field of each of a list.
pub(crate) fn numbers(list: &Value, field: &str) -> Vec<i64> {
    let items = list.as_array().unwrap().iter();
    items.map(|item| item[field].as_i64().unwrap()).collect()
}
