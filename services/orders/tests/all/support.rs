//! A stage with people on it, and short ways to put orders where a test needs them.

use parlour_contracts::{Event, Role};
use parlour_db::{DbError, Scope, Tx};
use parlour_testkit::{Answer, App, AppBuilder, Person, eventually_eq};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::services;

/// Everybody that an order needs.
pub(crate) struct Stage {
    pub(crate) app: App,
    pub(crate) client: Person,
    pub(crate) reader: Person,
    pub(crate) monitor: Person,
    pub(crate) admin: Person,
    /// A written tarot reading that needs no payment.
    pub(crate) service: Uuid,
}

impl Stage {
    /// Without a broker.
    pub(crate) async fn set() -> Self {
        Self::of(App::of(&services())).await
    }

    /// With whatever the builder says, and without a broker.
    pub(crate) async fn of(builder: AppBuilder) -> Self {
        let stage = Self::empty(builder.start().await).await;
        for (person, role, name, specialities) in stage.cast() {
            known(&stage.app, person.id, role, name, specialities).await;
        }
        stage
    }

    /// With the broker, over which the directory hears of people from identity.
    pub(crate) async fn with_broker(builder: AppBuilder) -> Self {
        let stage = Self::empty(builder.with_vhost().start().await).await;
        for (person, role, name, specialities) in stage.cast() {
            let profile = json!({ "display_name": name, "specialities": specialities });
            stage
                .app
                .by(person)
                .put("/api/profile")
                .json(profile)
                .await
                .expect(200);
            let heard = format!(
                "SELECT count(*) FROM orders.people WHERE id = '{}' AND display_name = '{name}' AND roles = '{{{role}}}'",
                person.id
            );
            eventually_eq(1, async || stage.count(&heard).await).await;
        }
        stage
    }

    async fn empty(app: App) -> Self {
        let (client, reader) = (app.person("client").await, app.person("reader").await);
        let (monitor, admin) = (app.person("monitor").await, app.person("admin").await);
        let service = offer(&app, &admin, json!({})).await;
        Self {
            app,
            client,
            reader,
            monitor,
            admin,
            service,
        }
    }

    fn cast(&self) -> [(&Person, &'static str, &'static str, &'static [&'static str]); 4] {
        [
            (&self.client, "client", "Cleo", &[]),
            (&self.reader, "reader", "Rae", &["tarot"]),
            (&self.monitor, "monitor", "Mo", &[]),
            (&self.admin, "admin", "Ada", &[]),
        ]
    }

    /// Another reader, known for these specialities.
    pub(crate) async fn another_reader(&self, name: &str, specialities: &[&str]) -> Person {
        let reader = self.app.person("reader").await;
        known(&self.app, reader.id, "reader", name, specialities).await;
        reader
    }

    /// Orders; the order's id.
    pub(crate) async fn ordered(&self) -> Uuid {
        self.ordered_by(&self.client, self.service).await
    }

    /// Somebody orders something; the order's id.
    pub(crate) async fn ordered_by(&self, client: &Person, service: Uuid) -> Uuid {
        let body = json!({ "service_id": service, "notes": "About my cat" });
        let answer = self.app.by(client).post("/api/orders").json(body).await;
        id(&answer.expect(201).data()["order"])
    }

    /// Orders and assigns to the reader.
    pub(crate) async fn assigned(&self) -> Uuid {
        let order = self.ordered().await;
        self.assign(order, &self.reader).await.expect(200);
        order
    }

    /// Orders, assigns and hands a result in.
    pub(crate) async fn submitted(&self) -> Uuid {
        let order = self.assigned().await;
        self.submit(order, "The cat is fine.").await.expect(200);
        order
    }

    /// The whole way.
    pub(crate) async fn delivered(&self) -> Uuid {
        let order = self.submitted().await;
        self.approve(order).await.expect(200);
        order
    }

    pub(crate) async fn assign(&self, order: Uuid, reader: &Person) -> Answer {
        self.act(&self.admin, order, "assign", json!({ "reader_id": reader.id }))
            .await
    }

    pub(crate) async fn submit(&self, order: Uuid, text: &str) -> Answer {
        self.act(&self.reader, order, "result", json!({ "text": text }))
            .await
    }

    pub(crate) async fn approve(&self, order: Uuid) -> Answer {
        self.act(&self.monitor, order, "approve", json!({})).await
    }

    /// `POST /api/orders/{order}/{action}`
    pub(crate) async fn act(&self, by: &Person, order: Uuid, action: &str, body: Value) -> Answer {
        let path = format!("/api/orders/{order}/{action}");
        self.app.by(by).post(&path).json(body).await
    }

    /// The order as somebody sees it.
    pub(crate) async fn look(&self, by: &Person, order: Uuid) -> Value {
        let answer = self.app.by(by).get(&format!("/api/orders/{order}")).await;
        answer.expect(200).data()["order"].clone()
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

/// Has the directory know somebody, as it would from identity's events.
pub(crate) async fn known(app: &App, id: Uuid, role: &str, name: &str, specialities: &[&str]) {
    let role: Role = role.parse().unwrap();
    let specialities = specialities.join(",");
    let sql = format!(
        "INSERT INTO orders.people (id, display_name, roles, country, locale, specialities, status, version)
         VALUES ('{id}', '{name}', '{{{role}}}', 'SE', 'en', '{{{specialities}}}', 'active', 0)"
    );
    app.database().admin().await.batch_execute(&sql).await.unwrap();
}

/// Adds a service like a written tarot reading, with `more` said otherwise; its id.
pub(crate) async fn offer(app: &App, admin: &Person, more: Value) -> Uuid {
    let mut body = json!({
        "kind": "tarot", "name": "Tarot, three cards", "description": "By the Rider deck.", "price": 2500,
        "currency": "EUR", "duration_minutes": 30, "delivery_mode": "written",
    });
    for (name, value) in more.as_object().unwrap() {
        body[name] = value.clone();
    }
    let answer = app.by(admin).post("/api/services").json(body).await;
    id(&answer.expect(201).data()["service"])
}

/// The `id` of something.
pub(crate) fn id(value: &Value) -> Uuid {
    value["id"].as_str().unwrap().parse().unwrap()
}
