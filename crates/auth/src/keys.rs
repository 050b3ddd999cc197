//! The public keys of an issuer, by key id.

use std::collections::HashMap;
use std::sync::{PoisonError, RwLock};
use std::time::{Duration, Instant};

use jsonwebtoken::jwk::{Jwk, JwkSet};
use jsonwebtoken::{Algorithm, AlgorithmFamily, DecodingKey, Validation};
use tokio::sync::Mutex;

use crate::AuthError;

/// How often an unknown key id may cause the keys to be fetched again.
const REFRESH_EVERY: Duration = Duration::from_mins(1);
/// How long a failed fetch is not tried again: those who wait must not each wait for its time-out.
const RETRY_AFTER: Duration = Duration::from_secs(2);

struct Fetched {
    at: Instant,
    succeeded: bool,
}

/// The signature keys of one issuer, fetched when first needed and again when a
/// token names a key that is not known, but at most once a minute: a stranger
/// with made-up key ids must not make us hammer the issuer.
#[derive(Default)]
pub struct KeySet {
    keys: RwLock<HashMap<String, (Algorithm, DecodingKey)>>,
    fetched: Mutex<Option<Fetched>>,
}

impl KeySet {
    /// The key with the id `kid`; `fetch` gets the whole set when it is not known yet.
    pub async fn find<F>(&self, kid: &str, fetch: F) -> Result<(Algorithm, DecodingKey), AuthError>
    where
        F: AsyncFnOnce() -> Result<JwkSet, AuthError>,
    {
        if let Some(found) = self.known(kid) {
            return Ok(found);
        }
        let mut fetched = self.fetched.lock().await;
        // Whoever waited for the lock finds what the first one fetched.
        if let Some(found) = self.known(kid) {
            return Ok(found);
        }
        match &*fetched {
            Some(last) if last.succeeded && last.at.elapsed() < REFRESH_EVERY => {
                return Err(AuthError::Invalid);
            }
            Some(last) if !last.succeeded && last.at.elapsed() < RETRY_AFTER => {
                return Err(AuthError::Unavailable);
            }
            _ => {}
        }
        let answer = fetch().await;
        *fetched = Some(Fetched {
            at: Instant::now(),
            succeeded: answer.is_ok(),
        });
        self.replace(&answer?);
        self.known(kid).ok_or(AuthError::Invalid)
    }

    /// Puts `set` in the place of what was known.
    pub fn replace(&self, set: &JwkSet) {
        let keys = set.keys.iter().filter_map(usable).collect();
        *self.keys.write().unwrap_or_else(PoisonError::into_inner) = keys;
    }

    fn known(&self, kid: &str) -> Option<(Algorithm, DecodingKey)> {
        self.keys
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .get(kid)
            .cloned()
    }
}

/// The key's own type decides the algorithm, never a token's header: an RSA key
/// must not be used as an HMAC secret because somebody wrote HS256.
fn usable(jwk: &Jwk) -> Option<(String, (Algorithm, DecodingKey))> {
    let kid = jwk.common.key_id.clone()?;
    let key = DecodingKey::from_jwk(jwk).ok()?;
    let algorithm = match key.family() {
        AlgorithmFamily::Ed => Algorithm::EdDSA,
        AlgorithmFamily::Ec => Algorithm::ES256,
        AlgorithmFamily::Rsa => Algorithm::RS256,
        // A symmetric key has no place in a public key set.
        AlgorithmFamily::Hmac => return None,
    };
    Some((kid, (algorithm, key)))
}

/// What every token is checked for: signature, issuer, audience, times, with `leeway` seconds of drift.
pub(crate) fn validation(
    algorithm: Algorithm,
    issuer: &str,
    audience: Option<&str>,
    leeway: u64,
) -> Validation {
    let mut validation = Validation::new(algorithm);
    validation.set_issuer(&[issuer]);
    validation.validate_nbf = true;
    validation.leeway = leeway;
    if let Some(audience) = audience {
        validation.set_audience(&[audience]);
        validation.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
    } else {
        validation.validate_aud = false;
        validation.set_required_spec_claims(&["exp", "iss", "sub"]);
    }
    validation
}
