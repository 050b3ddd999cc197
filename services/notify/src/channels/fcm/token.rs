//! Access tokens of a Google service account: OAuth 2's grant by a signed JWT (RFC 7523).

use std::sync::Arc;

use chrono::{DateTime, Duration, Utc};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use reqwest::Client;
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};
use tokio::sync::Mutex;

use crate::channels::Class;
use crate::channels::attempt::Failure;
use crate::channels::client;

const SCOPE: &str = "https://www.googleapis.com/auth/firebase.messaging";
const GRANT: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";

/// A token is replaced so long before it ends, so that none ends on its way.
const MARGIN_SECONDS: i64 = 300;

/// The account whose key file it is.
pub(super) struct ServiceAccount {
    pub(super) project_id: String,
    email: String,
    key_id: String,
    key: EncodingKey,
    token_url: String,
}

/// What a key file says.
#[derive(Deserialize)]
struct KeyFile {
    project_id: String,
    private_key_id: String,
    private_key: SecretString,
    client_email: String,
    token_uri: String,
}

#[derive(Serialize)]
struct Claims<'c> {
    iss: &'c str,
    scope: &'static str,
    aud: &'c str,
    iat: i64,
    exp: i64,
}

#[derive(Deserialize)]
struct Granted {
    access_token: SecretString,
    expires_in: i64,
}

/// What OAuth 2 answers to a grant that is refused.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Denied {
    error: String,
    error_description: String,
}

impl ServiceAccount {
    /// Reads a key file's text. Neither it nor the errors' texts are shown to anybody.
    pub(super) fn read(json: &str, token_url: Option<&str>) -> anyhow::Result<Self> {
        let file: KeyFile = serde_json::from_str(json)
            .map_err(|error| anyhow::anyhow!("the service account's key file: {error}"))?;
        let key = EncodingKey::from_rsa_pem(file.private_key.expose_secret().as_bytes())
            .map_err(|_| anyhow::anyhow!("the service account's private_key is no RSA key in PEM"))?;
        Ok(Self {
            project_id: file.project_id,
            email: file.client_email,
            key_id: file.private_key_id,
            key,
            token_url: token_url.map_or(file.token_uri, str::to_owned),
        })
    }

    fn assertion(&self, now: DateTime<Utc>) -> Result<String, jsonwebtoken::errors::Error> {
        let header = Header {
            kid: Some(self.key_id.clone()),
            ..Header::new(Algorithm::RS256)
        };
        let claims = Claims {
            iss: &self.email,
            scope: SCOPE,
            aud: &self.token_url,
            iat: now.timestamp(),
            exp: now.timestamp() + 3600,
        };
        jsonwebtoken::encode(&header, &claims, &self.key)
    }
}

/// The account's current token.
pub(super) struct Tokens {
    client: Client,
    account: ServiceAccount,
    current: Mutex<Option<(Arc<SecretString>, DateTime<Utc>)>>,
}

impl Tokens {
    pub(super) fn new(client: Client, account: ServiceAccount) -> Self {
        Self {
            client,
            account,
            current: Mutex::default(),
        }
    }

    /// A token that is good for some minutes more. While one is asked for, everybody waits
    /// for that one.
    pub(super) async fn get(&self, now: DateTime<Utc>) -> Result<Arc<SecretString>, Failure> {
        let mut current = self.current.lock().await;
        if let Some((token, _)) = current.as_ref().filter(|(_, until)| now < *until) {
            return Ok(token.clone());
        }
        let granted = self.ask(now).await?;
        let token = Arc::new(granted.access_token);
        let until =
            now + Duration::seconds(granted.expires_in.saturating_sub(MARGIN_SECONDS).clamp(0, 86_400));
        *current = Some((token.clone(), until));
        Ok(token)
    }

    /// Forgets a token that was refused, unless another has taken its place.
    pub(super) async fn forget(&self, token: &Arc<SecretString>) {
        let mut current = self.current.lock().await;
        if current.as_ref().is_some_and(|(held, _)| Arc::ptr_eq(held, token)) {
            *current = None;
        }
    }

    /// Whatever goes wrong here, no message was judged.
    async fn ask(&self, now: DateTime<Utc>) -> Result<Granted, Failure> {
        let assertion = self
            .account
            .assertion(now)
            .map_err(|error| Failure::of_provider(Class::Transient, error.to_string()))?;
        let form = [("grant_type", GRANT), ("assertion", assertion.as_str())];
        let answer = client::ask(self.client.post(&self.account.token_url).form(&form)).await?;
        let status = answer.status.as_u16();
        if !answer.status.is_success() {
            let denied: Denied = answer.json().unwrap_or_default();
            let words = format!(
                "no access token: HTTP {status} {} {}",
                denied.error, denied.error_description
            );
            return Err(Failure::of_provider(Class::Transient, words).after(answer.retry_after(now)));
        }
        answer
            .json()
            .ok_or_else(|| Failure::of_provider(Class::Transient, "no access token in the answer"))
    }
}
