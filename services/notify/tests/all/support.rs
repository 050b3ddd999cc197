//! What several files need: a carrier that records, people and their settings, events.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, LazyLock, Mutex};

use futures_util::future::BoxFuture;
use parlour_chassis::Service;
use parlour_contracts::Event;
use parlour_contracts::events::v1::AuditRecorded;
use parlour_db::{DbError, Scope, Tx};
use parlour_notify::channels::{Address, Class, Outgoing, Refused, Sent};
use parlour_notify::dispatch::Carrier;
use parlour_testkit::{App, AppBuilder, Person, eventually};
use prost::Message as _;
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};
use uuid::Uuid;

/// A provider of all channels that keeps what it is given and answers what the test wants.
#[derive(Default)]
pub(crate) struct Recorder {
    taken: Mutex<Vec<Outgoing>>,
    refusals: Mutex<Vec<Refused>>,
    /// While it is locked, every message waits before it is taken.
    pub(crate) gate: tokio::sync::RwLock<()>,
}

impl Carrier for Recorder {
    fn carry<'m>(&'m self, message: &'m Outgoing) -> BoxFuture<'m, Result<Sent, Refused>> {
        Box::pin(async move {
            let _open = self.gate.read().await;
            if let Some(refused) = self.refusals.lock().unwrap().pop() {
                return Err(refused);
            }
            let mut taken = self.taken.lock().unwrap();
            taken.push(message.clone());
            Ok(Sent {
                provider: "recorder".to_owned(),
                provider_id: Some(format!("{}", message.delivery_id)),
            })
        })
    }
}

impl Recorder {
    /// What was taken so far.
    pub(crate) fn taken(&self) -> Vec<Outgoing> {
        self.taken.lock().unwrap().clone()
    }

    /// What was taken of a type.
    pub(crate) fn of(&self, kind: &str) -> Vec<Outgoing> {
        self.taken()
            .into_iter()
            .filter(|message| message.kind == kind)
            .collect()
    }

    /// The next attempts are refused like this, the last one first.
    pub(crate) fn refuse(&self, refusals: Vec<Refused>) {
        self.refusals.lock().unwrap().extend(refusals);
    }

    /// Waits until a type was taken so often.
    pub(crate) async fn eventually(&self, kind: &str, times: usize) -> Vec<Outgoing> {
        eventually(async || {
            let found = self.of(kind);
            if found.len() == times {
                Ok(found)
            } else {
                Err(found.len())
            }
        })
        .await
    }
}

/// A refusal.
pub(crate) fn refused(class: Class) -> Refused {
    Refused {
        class,
        provider: "recorder".to_owned(),
        words: "not today".to_owned(),
        retry_after: None,
    }
}

/// The text of an address.
pub(crate) fn address(message: &Outgoing) -> String {
    match &message.to {
        Address::Email(text) | Address::Phone(text) | Address::Device(text) => {
            text.expose_secret().to_owned()
        }
        Address::WebPush { endpoint, .. } => endpoint.expose_secret().to_owned(),
    }
}

/// The recorders of all running apps, by their outboxes.
static RECORDERS: LazyLock<Mutex<HashMap<PathBuf, Arc<Recorder>>>> = LazyLock::new(Mutex::default);

/// The recorder of an app; its processes share it.
pub(crate) fn recorder(app: &App) -> Arc<Recorder> {
    recorder_at(app.outbox().to_owned())
}

/// The recorder of the app with this outbox.
pub(crate) fn recorder_at(outbox: PathBuf) -> Arc<Recorder> {
    RECORDERS.lock().unwrap().entry(outbox).or_default().clone()
}

/// Notify with a recorder for its provider.
pub(crate) fn notify() -> Service {
    Service {
        build: |context| {
            Box::pin(async move {
                let carrier = recorder_at(context.outbox()?);
                parlour_notify::build(context, carrier).await
            })
        },
        ..parlour_notify::service()
    }
}

/// Notify beside identity, without a broker.
pub(crate) async fn quiet() -> App {
    builder().start().await
}

/// Notify beside identity, with a broker.
pub(crate) async fn live() -> App {
    builder().with_vhost().start().await
}

/// Notify beside identity, quick to notice things.
pub(crate) fn builder() -> AppBuilder {
    App::of(&[parlour_identity::service(), notify()])
        .set("notify.dispatch.poll_ms", 50)
        .set("notify.rules_ms", 0)
}

/// Publishes as another service would; whose outbox it goes through is all the same to the consumer.
pub(crate) async fn publish<E: Event + Clone + 'static>(app: &App, aggregate: &str, event: E) -> Uuid {
    let aggregate = format!("test:{aggregate}");
    let work = async move |tx: &mut Tx| -> Result<Uuid, DbError> {
        parlour_events::publish(tx, aggregate, &event).await
    };
    app.database()
        .db("identity")
        .write(Scope::Service, work)
        .await
        .unwrap()
}

/// Writes a person into notify's directory as identity would, where there is no broker to tell it.
pub(crate) async fn introduce(app: &App, person: &Person, roles: &[&str]) {
    introduce_as(app, person.id, roles, json!({})).await;
}

/// The same with further fields: `locale`, `time_zone`, `country`, `status`, `name`.
pub(crate) async fn introduce_as(app: &App, id: Uuid, roles: &[&str], fields: Value) {
    let text = |name: &str, default: &str| fields[name].as_str().unwrap_or(default).to_owned();
    let roles: Vec<String> = roles.iter().map(ToString::to_string).collect();
    let admin = app.database().admin().await;
    admin
        .execute(
            "INSERT INTO notify.people (id, display_name, roles, country, locale, time_zone, specialities, status, version)
             VALUES ($1, $2, $3, $4, $5, $6, '{}', $7, 1)
             ON CONFLICT (id) DO UPDATE SET roles = excluded.roles, status = excluded.status",
            &[
                &id,
                &text("name", "Ana"),
                &roles,
                &text("country", "SE"),
                &text("locale", "en"),
                &text("time_zone", "UTC"),
                &text("status", "active"),
            ],
        )
        .await
        .unwrap();
}

/// Writes a confirmed e-mail address and phone number, sealed as identity seals them.
pub(crate) async fn contact(app: &App, id: Uuid) {
    let settings: Keys = app.layers().part("contacts").unwrap();
    let vault = parlour_vault::Vault::new(&settings.0).unwrap();
    let email = vault
        .seal_text(&format!("contact.email:{id}"), &format!("{id}@example.com"))
        .unwrap();
    let phone = vault
        .seal_text(&format!("contact.phone:{id}"), "+46701740605")
        .unwrap();
    let admin = app.database().admin().await;
    admin
        .execute(
            "INSERT INTO notify.contacts (account_id, email_sealed, phone_sealed, email_verified, phone_verified, version)
             VALUES ($1, $2, $3, true, true, 1000)
             ON CONFLICT (account_id) DO UPDATE SET (email_sealed, phone_sealed, email_verified, phone_verified, version)
               = (excluded.email_sealed, excluded.phone_sealed, true, true, 1000)",
            &[&id, &email, &phone],
        )
        .await
        .unwrap();
}

#[derive(serde::Deserialize)]
#[serde(transparent)]
struct Keys(parlour_vault::Settings);
impl parlour_config::Part for Keys {}

/// A person whom notify knows, with a role and confirmed addresses.
pub(crate) async fn known(app: &App, role: &str) -> Person {
    let person = app.person(role).await;
    introduce(app, &person, &[role]).await;
    contact(app, person.id).await;
    person
}

/// The notifications that a person sees.
pub(crate) async fn list(app: &App, person: &Person) -> Vec<Value> {
    let data = app
        .by(person)
        .get("/api/notifications?limit=100")
        .await
        .expect(200)
        .data();
    data["notifications"].as_array().unwrap().clone()
}

/// What became of a notification, as an admin sees it: by channel, in rounds.
pub(crate) async fn deliveries(app: &App, admin: &Person, id: &Value) -> Vec<Value> {
    let path = format!("/api/notifications/{}/deliveries", id.as_str().unwrap());
    let data = app.by(admin).get(&path).await.expect(200).data();
    data["deliveries"].as_array().unwrap().clone()
}

/// The delivery on a channel.
pub(crate) async fn delivery(app: &App, admin: &Person, id: &Value, channel: &str) -> Value {
    let all = deliveries(app, admin, id).await;
    all.into_iter().find(|d| d["channel"] == channel).unwrap()
}

/// Waits until its attempt of this number was refused and the next one has its time: who moves the clock
/// between the two, moves that time as well.
pub(crate) async fn retried(app: &App, admin: &Person, id: &Value, number: i64) -> Value {
    eventually(async || {
        let found = delivery(app, admin, id, "email").await;
        (found["status"] == "queued" && found["attempts"] == number).then_some(found)
    })
    .await
}

/// A number from the database.
pub(crate) async fn number(app: &App, sql: &str) -> i64 {
    app.database()
        .admin()
        .await
        .query_one(sql, &[])
        .await
        .unwrap()
        .get(0)
}

/// The lines of the audit log that notify wrote.
pub(crate) async fn audits(app: &App) -> Vec<AuditRecorded> {
    let sql = "SELECT payload FROM notify.outbox WHERE type = 'notify.audit.recorded' ORDER BY seq";
    let rows = app.database().admin().await.query(sql, &[]).await.unwrap();
    rows.iter()
        .map(|row| AuditRecorded::decode(row.get::<_, &[u8]>(0)).unwrap())
        .collect()
}
