//! Two people in a conversation, and where they connect.

use std::net::SocketAddr;

use parlour_contracts::Event;
use parlour_db::{DbError, Scope, Tx};
use parlour_testkit::{App, AppBuilder, Person};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::sock::Sock;

/// The services under test.
pub(crate) fn services() -> [parlour_chassis::Service; 2] {
    [parlour_identity::service(), parlour_chat::service()]
}

/// A running platform with a client and a reader in one conversation.
pub(crate) struct Stage {
    pub(crate) app: App,
    pub(crate) client: Person,
    pub(crate) reader: Person,
    pub(crate) session: Uuid,
}

impl Stage {
    /// One process.
    pub(crate) async fn start() -> Self {
        Self::of(App::of(&services())).await
    }

    /// An app that is set up already.
    pub(crate) async fn of(app: AppBuilder) -> Self {
        let app = app.with_vhost().start().await;
        let (client, reader) = (app.person("client").await, app.person("reader").await);
        let session = conversation(&app, &[client.id, reader.id]).await;
        Self {
            app,
            client,
            reader,
            session,
        }
    }

    /// Where the sockets of a process are.
    pub(crate) async fn address(&self, replica: usize) -> SocketAddr {
        let page = self.app.internal_of(replica).get("/sockets").await;
        page.json()["address"].as_str().unwrap().parse().unwrap()
    }

    /// A connection to the first process.
    pub(crate) async fn connect(&self, person: &Person) -> Sock {
        self.connect_to(0, person).await
    }

    /// A connection of somebody who was let in.
    pub(crate) async fn connect_to(&self, replica: usize, person: &Person) -> Sock {
        let mut sock = Sock::connect(self.address(replica).await, &person.token).await;
        let told = sock.next("authenticated").await;
        assert_eq!(told["user"]["id"], json!(person.id));
        sock
    }

    /// A connection that is in the conversation.
    pub(crate) async fn joined(&self, person: &Person) -> Sock {
        self.joined_at(0, person).await
    }

    /// The same at another process.
    pub(crate) async fn joined_at(&self, replica: usize, person: &Person) -> Sock {
        let mut sock = self.connect_to(replica, person).await;
        sock.done("join_chat", json!({ "session_id": self.session }))
            .await;
        sock
    }

    /// Sends by REST, and answers the message.
    pub(crate) async fn post(&self, person: &Person, content: &str) -> Value {
        let body = json!({ "session_id": self.session, "content": content });
        let answer = self.app.by(person).post("/api/chat/messages").json(body).await;
        answer.expect(201).data()
    }

    /// Publishes as another service would.
    pub(crate) async fn tell<E: Event + Clone + 'static>(&self, event: E) {
        let aggregate = format!("session:{}", self.session);
        let publish = async move |tx: &mut Tx| -> Result<(), DbError> {
            parlour_events::publish(tx, aggregate, &event).await.map(drop)
        };
        let db = self.app.database().db("identity");
        db.write(Scope::Service, publish).await.unwrap();
    }

    /// What goes over a socket to say something.
    pub(crate) fn saying(&self, id: &str, content: &str) -> Value {
        json!({ "session_id": self.session, "message": { "id": id, "content": content, "type": "text" } })
    }
}

/// A conversation of these people.
pub(crate) async fn conversation(app: &App, people: &[Uuid]) -> Uuid {
    let session = Uuid::now_v7();
    let admin = app.database().admin().await;
    let taking_part: Vec<String> = people
        .iter()
        .map(|person| format!("('{session}', '{person}', 'client', now())"))
        .collect();
    let sql = format!(
        "INSERT INTO chat.sessions (id, kind, status, encrypted, active_at, created_at)
           VALUES ('{session}', 'general', 'active', false, now(), now());
         INSERT INTO chat.participants (session_id, user_id, role, joined_at) VALUES {}",
        taking_part.join(", ")
    );
    admin.batch_execute(&sql).await.unwrap();
    session
}
