//! Trusted outside issuers: Supabase, AWS Cognito, any OIDC issuer with a JWKS URL.

use std::time::Duration;

use jsonwebtoken::jwk::JwkSet;
use jsonwebtoken::{Algorithm, DecodingKey, decode, decode_header, errors::ErrorKind};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

use crate::keys::validation;
use crate::{AuthError, KeySet, MAX_TOKEN_BYTES};

/// Seconds by which an outside issuer's clock may differ from ours.
const LEEWAY: u64 = 30;
/// The most that a key set may have, in bytes.
const MAX_JWKS_BYTES: usize = 256 * 1024;

/// One issuer (`[[identity.issuers]]`).
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IssuerSettings {
    /// What accounts of this issuer are filed under; never change it.
    pub name: String,
    /// The `iss` of its tokens, exactly.
    pub issuer: String,
    /// The `aud` its tokens must have; without one it is not checked (Cognito's access tokens have none).
    pub audience: Option<String>,
    /// Where its public keys are.
    pub jwks_url: Option<String>,
    /// The shared secret of a legacy Supabase project. Exactly one of this and `jwks_url`.
    pub hs256_secret: Option<SecretString>,
}

/// Where the keys of an issuer come from.
pub enum IssuerKeys {
    /// A public key set, fetched.
    Remote(KeySet, String),
    /// A shared secret.
    Secret(DecodingKey),
}

/// An issuer whose tokens can be checked.
pub struct Issuer {
    settings: IssuerSettings,
    keys: IssuerKeys,
    client: reqwest::Client,
}

/// What is used of an outside token.
#[derive(Clone, Debug, Deserialize)]
pub struct OutsideClaims {
    /// The issuer's own id of the person.
    pub sub: String,
    /// E-mail address, if the issuer tells it.
    #[serde(default)]
    pub email: Option<String>,
    /// Whether the issuer has verified it. Some send it as a string.
    #[serde(default, deserialize_with = "lenient_bool")]
    pub email_verified: bool,
    /// First name.
    #[serde(default)]
    pub given_name: Option<String>,
    /// Last name.
    #[serde(default)]
    pub family_name: Option<String>,
    /// Where Supabase keeps what it knows of the person.
    #[serde(default)]
    pub user_metadata: Option<serde_json::Value>,
}

fn lenient_bool<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    let value = serde_json::Value::deserialize(deserializer)?;
    Ok(value == serde_json::Value::Bool(true) || value == "true")
}

impl Issuer {
    /// Reads one issuer's settings; the error is a sentence for the operator.
    pub fn new(settings: IssuerSettings) -> Result<Self, String> {
        let keys = match (&settings.jwks_url, &settings.hs256_secret) {
            (Some(url), None) => IssuerKeys::Remote(KeySet::default(), url.clone()),
            (None, Some(secret)) => {
                IssuerKeys::Secret(DecodingKey::from_secret(secret.expose_secret().as_bytes()))
            }
            _ => {
                return Err(format!(
                    "issuer {:?} needs exactly one of jwks_url and hs256_secret",
                    settings.name
                ));
            }
        };
        // Its own client and time-out: a dead issuer must not slow the others.
        let client = reqwest::Client::builder()
            .timeout(Duration::from_secs(3))
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .map_err(|error| format!("issuer {:?}: {error}", settings.name))?;
        Ok(Self {
            settings,
            keys,
            client,
        })
    }

    /// What accounts of this issuer are filed under.
    pub fn name(&self) -> &str {
        &self.settings.name
    }

    /// Checks signature, issuer, audience, times and algorithm. `Ok(None)` when
    /// the token is another issuer's.
    pub async fn verify(&self, token: &str) -> Result<Option<OutsideClaims>, AuthError> {
        if token.len() > MAX_TOKEN_BYTES {
            return Err(AuthError::Invalid);
        }
        if unverified_issuer(token)? != self.settings.issuer {
            return Ok(None);
        }
        let (algorithm, key) = self.key_for(token).await?;
        let audience = self.settings.audience.as_deref();
        let validation = validation(algorithm, &self.settings.issuer, audience, LEEWAY);
        match decode::<OutsideClaims>(token, &key, &validation) {
            Ok(data) => Ok(Some(data.claims)),
            Err(error) => {
                tracing::debug!(issuer = %self.settings.name, kind = ?kind_name(error.kind()), "outside token refused");
                Err(AuthError::Invalid)
            }
        }
    }

    async fn key_for(&self, token: &str) -> Result<(Algorithm, DecodingKey), AuthError> {
        match &self.keys {
            IssuerKeys::Secret(key) => Ok((Algorithm::HS256, key.clone())),
            IssuerKeys::Remote(set, url) => {
                let header = decode_header(token).map_err(|_| AuthError::Invalid)?;
                let kid = header.kid.ok_or(AuthError::Invalid)?;
                set.find(&kid, async || self.fetch(url).await).await
            }
        }
    }

    async fn fetch(&self, url: &str) -> Result<JwkSet, AuthError> {
        let failed = |error: &dyn std::fmt::Display| {
            tracing::warn!(issuer = %self.settings.name, %error, "the issuer's keys cannot be fetched");
            AuthError::Unavailable
        };
        let mut answer = self
            .client
            .get(url)
            .send()
            .await
            .and_then(reqwest::Response::error_for_status)
            .map_err(|e| failed(&e))?;
        let mut body = Vec::new();
        while let Some(chunk) = answer.chunk().await.map_err(|e| failed(&e))? {
            body.extend_from_slice(&chunk);
            if body.len() > MAX_JWKS_BYTES {
                return Err(failed(&"the key set is too large"));
            }
        }
        serde_json::from_slice(&body).map_err(|e| failed(&e))
    }
}

/// The `iss` a token claims, only to choose whose keys to check it with.
fn unverified_issuer(token: &str) -> Result<String, AuthError> {
    #[derive(Deserialize)]
    struct Iss {
        iss: String,
    }
    jsonwebtoken::dangerous::insecure_decode::<Iss>(token)
        .map(|data| data.claims.iss)
        .map_err(|_| AuthError::Invalid)
}

fn kind_name(kind: &ErrorKind) -> &'static str {
    match kind {
        ErrorKind::ExpiredSignature => "expired",
        ErrorKind::ImmatureSignature => "not yet valid",
        ErrorKind::InvalidIssuer => "issuer",
        ErrorKind::InvalidAudience => "audience",
        ErrorKind::InvalidSignature => "signature",
        _ => "malformed",
    }
}
