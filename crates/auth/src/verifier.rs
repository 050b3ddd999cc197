//! From a token to a principal, fast: verified tokens are remembered until they end.

use std::sync::Arc;
use std::time::{Duration, Instant};

use aws_lc_rs::digest::{SHA256, digest};
use chrono::Utc;
use jsonwebtoken::jwk::JwkSet;
use jsonwebtoken::{decode, decode_header};
use quick_cache::sync::Cache;
use serde::Deserialize;

use crate::keys::validation;
use crate::{
    API_TOKEN_PREFIX, AuthError, Authority, COOKIE_PREFIX, Claims, KeySet, MAX_TOKEN_BYTES, Principal,
    Revocations,
};

/// How long what identity said about an API token or a cookie is believed. Its
/// revocation arrives by event; this bounds how stale its last-used time is.
const OPAQUE_FOR: Duration = Duration::from_secs(30);

/// What tokens must say (`[auth]`).
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// The `iss` of our tokens.
    pub issuer: String,
    /// The `aud` of our tokens.
    pub audience: String,
    /// How long an access token lives, in seconds.
    pub access_token_seconds: u64,
    /// How many verified tokens are remembered.
    pub cache_entries: usize,
}

/// Checks our JWTs by their signature alone.
pub struct TokenReader {
    settings: Settings,
    keys: KeySet,
}

impl TokenReader {
    /// A reader that knows no keys yet.
    pub fn new(settings: Settings) -> Self {
        Self {
            settings,
            keys: KeySet::default(),
        }
    }

    /// Checks signature, issuer, audience and times; `fetch` gets the keys when one is not known.
    pub async fn read<F>(&self, token: &str, fetch: F) -> Result<Principal, AuthError>
    where
        F: AsyncFnOnce() -> Result<JwkSet, AuthError>,
    {
        let header = decode_header(token).map_err(|_| AuthError::Invalid)?;
        let kid = header.kid.ok_or(AuthError::Invalid)?;
        let (algorithm, key) = self.keys.find(&kid, fetch).await?;
        let settings = &self.settings;
        let validation = validation(algorithm, &settings.issuer, Some(&settings.audience), 0);
        let data = decode::<Claims>(token, &key, &validation).map_err(|_| AuthError::Invalid)?;
        Principal::from_claims(&data.claims).ok_or(AuthError::Invalid)
    }
}

/// Verifies tokens. One per process.
pub struct Verifier {
    reader: TokenReader,
    authority: Arc<dyn Authority>,
    revocations: Arc<Revocations>,
    cache: Cache<[u8; 32], Remembered>,
    counts: Counts,
}

/// Looked up once, not for every request.
struct Counts {
    cached: metrics::Counter,
    checked: metrics::Counter,
}

impl Counts {
    fn new() -> Self {
        let count = |result| metrics::counter!("parlour_token_checks_total", "result" => result);
        Self {
            cached: count("cached"),
            checked: count("checked"),
        }
    }
}

#[derive(Clone)]
struct Remembered {
    principal: Arc<Principal>,
    until: Option<Instant>,
}

impl Verifier {
    /// A verifier that asks `authority` for keys and for what it cannot know itself.
    /// What it counts goes to the recorder that is installed by now.
    pub fn new(settings: Settings, authority: Arc<dyn Authority>, revocations: Arc<Revocations>) -> Self {
        Self {
            cache: Cache::new(settings.cache_entries),
            counts: Counts::new(),
            reader: TokenReader::new(settings),
            authority,
            revocations,
        }
    }

    /// The list this verifier looks at.
    pub fn revocations(&self) -> &Arc<Revocations> {
        &self.revocations
    }

    /// Who the token belongs to.
    pub async fn verify(&self, token: &str) -> Result<Arc<Principal>, AuthError> {
        if token.is_empty() || token.len() > MAX_TOKEN_BYTES {
            return Err(AuthError::Invalid);
        }
        let hash = fingerprint(token);
        let principal = match self.remembered(&hash) {
            Some(principal) => principal,
            None => self.check(token, hash).await?,
        };
        if self.revocations.is_revoked(&principal) {
            if !is_opaque(token) {
                return Err(AuthError::Invalid);
            }
            // An API token outlives a change of its owner's roles: what was remembered is old, not the token.
            self.cache.remove(&hash);
            return self.check(token, hash).await;
        }
        if !self.revocations.is_complete() {
            // Something may have been revoked that we have not heard of.
            return self.authority.introspect(token).await.map(Arc::new);
        }
        Ok(principal)
    }

    fn remembered(&self, hash: &[u8; 32]) -> Option<Arc<Principal>> {
        let found = self.cache.get(hash)?;
        let fresh =
            found.until.is_none_or(|until| until > Instant::now()) && found.principal.expires_at > Utc::now();
        if fresh {
            self.counts.cached.increment(1);
            return Some(found.principal);
        }
        self.cache.remove(hash);
        None
    }

    async fn check(&self, token: &str, hash: [u8; 32]) -> Result<Arc<Principal>, AuthError> {
        self.counts.checked.increment(1);
        let (principal, until) = if is_opaque(token) {
            let principal = self.authority.introspect(token).await?;
            (principal, Some(Instant::now() + OPAQUE_FOR))
        } else {
            let fetch = async || self.authority.keys().await;
            (self.reader.read(token, fetch).await?, None)
        };
        let principal = Arc::new(principal);
        let remembered = Remembered {
            principal: principal.clone(),
            until,
        };
        self.cache.insert(hash, remembered);
        Ok(principal)
    }
}

/// Opaque tokens say nothing by themselves: identity has to be asked.
fn is_opaque(token: &str) -> bool {
    token.starts_with(API_TOKEN_PREFIX) || token.starts_with(COOKIE_PREFIX)
}

fn fingerprint(token: &str) -> [u8; 32] {
    let mut hash = [0; 32];
    hash.copy_from_slice(digest(&SHA256, token.as_bytes()).as_ref());
    hash
}
