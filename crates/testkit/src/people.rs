//! People who signed up and signed in, through the same doors as everybody.

use std::net::Ipv4Addr;

use diesel::sql_types::{Array, Text, Uuid as SqlUuid};
use diesel_async::RunQueryDsl as _;
use parlour_contracts::{Permission, Role};
use parlour_db::{DbError, Scope, Tx};
use serde_json::json;
use uuid::Uuid;

use crate::{Answer, App, Client};

/// An account and one sign-in to it.
#[derive(Clone, Debug)]
pub struct Person {
    /// The account.
    pub id: Uuid,
    /// The address to sign in with.
    pub email: String,
    /// The password to sign in with.
    pub password: String,
    /// The access token.
    pub token: String,
    /// The refresh token.
    pub refresh_token: String,
    /// The network address they call from; everybody has one of their own.
    pub address: Ipv4Addr,
}

/// These need identity among the app's services.
impl App {
    /// Somebody new with one role (aliases are taken), signed in.
    pub async fn person(&self, role: &str) -> Person {
        let role = role.parse().unwrap_or_else(|error| panic!("{error}"));
        self.person_with(&[role], &[]).await
    }

    /// Somebody new with these roles and permissions, signed in.
    pub async fn person_with(&self, roles: &[Role], permissions: &[Permission]) -> Person {
        let [b, c, d] = rand::random();
        let mut person = Person {
            id: Uuid::nil(),
            email: format!("{}@example.com", Uuid::now_v7().simple()),
            password: format!("correct horse {:08x}", rand::random::<u32>()),
            token: String::new(),
            refresh_token: String::new(),
            address: Ipv4Addr::new(10, b, c, d),
        };
        self.sign_up(&mut person).await;
        if roles != [Role::Client] || !permissions.is_empty() {
            self.empower(person.id, roles, permissions).await;
        }
        let answer = self
            .sign_in(&person.email, &person.password, person.address)
            .await;
        let data = answer.expect(200).data();
        person.token = text(&answer, &data, "/access_token");
        person.refresh_token = text(&answer, &data, "/refresh_token");
        person
    }

    /// A client of the first process, signed in as `person`.
    pub fn by(&self, person: &Person) -> Client {
        self.client().signed_in(&person.token).from(person.address)
    }

    /// Signs in with a password, whatever comes of it.
    pub async fn sign_in(&self, email: &str, password: &str, address: Ipv4Addr) -> Answer {
        let credentials = json!({ "email": email, "password": password });
        self.client()
            .from(address)
            .post("/api/auth/login")
            .json(credentials)
            .await
    }

    /// Ends the session that the person's token belongs to.
    pub async fn sign_out(&self, person: &Person) {
        self.by(person).post("/api/auth/logout").await.expect(200);
    }

    /// A new API token of `person` with these scopes, such as `orders:read`.
    pub async fn api_token(&self, person: &Person, scopes: &[&str]) -> String {
        let wanted = json!({ "name": "test", "scopes": scopes });
        let answer = self.by(person).post("/api/auth/tokens").json(wanted).await;
        text(&answer, &answer.expect(201).data(), "/token")
    }

    async fn sign_up(&self, person: &mut Person) {
        let account = json!({ "email": person.email, "password": person.password });
        let door = self.client().from(person.address);
        let answer = door.post("/api/auth/register").json(account).await;
        let data = answer.expect(201).data();
        person.id = text(&answer, &data, "/user/id").parse().expect("ids are UUIDs");
    }

    /// Nobody may grant the roles of a test's first owner, so the database is told.
    async fn empower(&self, id: Uuid, roles: &[Role], permissions: &[Permission]) {
        let roles: Vec<&str> = roles.iter().map(|role| role.name()).collect();
        let permissions: Vec<&str> = permissions.iter().map(|permission| permission.name()).collect();
        let work = async move |tx: &mut Tx| -> Result<usize, DbError> {
            let update = "UPDATE accounts SET roles = $2, permissions = $3 WHERE id = $1";
            let changed = diesel::sql_query(update)
                .bind::<SqlUuid, _>(id)
                .bind::<Array<Text>, _>(roles)
                .bind::<Array<Text>, _>(permissions)
                .execute(tx)
                .await?;
            Ok(changed)
        };
        let changed = self.database().db("identity").write(Scope::Service, work).await;
        assert_eq!(changed.expect("identity's accounts can be changed"), 1);
    }
}

#[track_caller]
fn text(answer: &Answer, data: &serde_json::Value, pointer: &str) -> String {
    let found = data.pointer(pointer).and_then(serde_json::Value::as_str);
    found
        .unwrap_or_else(|| panic!("no {pointer} in data\n{answer}"))
        .to_owned()
}
