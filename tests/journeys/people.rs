//! Who takes part: accounts of one password, at `example.org`.

use parlour_testkit::Client;
use serde_json::{Value, json};

use crate::platform::Platform;

/// Everybody's.
pub(crate) const PASSWORD: &str = "correct horse battery";

/// What somebody signs up and in with.
pub(crate) fn account(name: &str) -> Value {
    json!({ "email": format!("{name}@example.org"), "password": PASSWORD })
}

/// Registers an account and signs it in: its access token.
pub(crate) async fn sign_up(gateway: &Client, name: &str) -> String {
    let registering = gateway.post("/api/auth/register").json(account(name));
    registering.await.expect(201);
    sign_in(gateway, name).await
}

/// Signs somebody in: their access token.
pub(crate) async fn sign_in(gateway: &Client, name: &str) -> String {
    let signing_in = gateway.post("/api/auth/login").json(account(name));
    let data = signing_in.await.expect(200).data();
    data["access_token"].as_str().unwrap().to_owned()
}

impl Platform {
    /// Has the operator make an account, and answers what was printed about it.
    pub(crate) fn make(&self, name: &str, roles: &[&str]) -> Value {
        let email = format!("{name}@example.org");
        let mut arguments = vec![
            "admin",
            "user",
            "create",
            "--email",
            &email,
            "--password",
            PASSWORD,
        ];
        arguments.extend(roles.iter().flat_map(|role| ["--role", *role]));
        serde_json::from_str(&self.operator(&arguments)).unwrap()
    }
}
