//! Who can be asked about tokens: identity, in this process or over the network.

use std::time::Duration;

use futures_util::future::BoxFuture;
use jsonwebtoken::jwk::JwkSet;
use secrecy::{ExposeSecret, SecretString};

use crate::{AuthError, Principal, Revocation};

/// What identity answers to the other processes of the platform.
pub trait Authority: Send + Sync {
    /// The public keys that verify access tokens.
    fn keys(&self) -> BoxFuture<'_, Result<JwkSet, AuthError>>;
    /// Who a token belongs to, looked up in the database; revoked and unknown ones are `Invalid`.
    fn introspect<'a>(&'a self, token: &'a str) -> BoxFuture<'a, Result<Principal, AuthError>>;
    /// Everything revoked that may still matter.
    fn revocations(&self) -> BoxFuture<'_, Result<Vec<Revocation>, AuthError>>;
}

/// The secret by which the platform's own processes know each other.
#[derive(Clone, Debug)]
pub struct InternalKey(SecretString);

impl InternalKey {
    /// The header that carries it. The gateway never passes it on.
    pub const HEADER: &'static str = "x-parlour-internal";

    /// Wraps the configured secret.
    pub fn new(secret: SecretString) -> Self {
        Self(secret)
    }

    /// Whether `given` is the secret, in constant time.
    pub fn matches(&self, given: &[u8]) -> bool {
        aws_lc_rs::constant_time::verify_slices_are_equal(self.0.expose_secret().as_bytes(), given).is_ok()
    }

    /// The header's value.
    pub fn header_value(&self) -> &str {
        self.0.expose_secret()
    }
}

/// Identity in another process, by its internal listener.
pub struct Remote {
    client: reqwest::Client,
    base: String,
    key: InternalKey,
}

impl Remote {
    /// `base` is the address of identity's internal listener.
    pub fn new(base: &str, key: InternalKey) -> Result<Self, reqwest::Error> {
        let client = reqwest::Client::builder()
            .timeout(Duration::from_secs(3))
            .connect_timeout(Duration::from_secs(1))
            .build()?;
        Ok(Self {
            client,
            base: base.trim_end_matches('/').to_owned(),
            key,
        })
    }

    async fn ask<T: serde::de::DeserializeOwned>(
        &self,
        request: reqwest::RequestBuilder,
    ) -> Result<T, AuthError> {
        let answer = request
            .header(InternalKey::HEADER, self.key.header_value())
            .send()
            .await
            .map_err(|error| unavailable(&error))?;
        match answer.status().as_u16() {
            200 => answer.json().await.map_err(|error| unavailable(&error)),
            401 => Err(AuthError::Invalid),
            status => {
                tracing::warn!(status, "identity answered an internal question with an error");
                Err(AuthError::Unavailable)
            }
        }
    }
}

fn unavailable(error: &reqwest::Error) -> AuthError {
    tracing::warn!(%error, "identity does not answer");
    AuthError::Unavailable
}

impl Authority for Remote {
    fn keys(&self) -> BoxFuture<'_, Result<JwkSet, AuthError>> {
        Box::pin(self.ask(self.client.get(format!("{}/internal/jwks", self.base))))
    }

    fn introspect<'a>(&'a self, token: &'a str) -> BoxFuture<'a, Result<Principal, AuthError>> {
        let url = format!("{}/internal/introspect", self.base);
        let body = serde_json::json!({ "token": token });
        Box::pin(self.ask(self.client.post(url).json(&body)))
    }

    fn revocations(&self) -> BoxFuture<'_, Result<Vec<Revocation>, AuthError>> {
        Box::pin(self.ask(self.client.get(format!("{}/internal/revocations", self.base))))
    }
}
