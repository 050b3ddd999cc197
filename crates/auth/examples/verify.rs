//! What checking a token costs on one core, from the cache and without it, beside
//! the bare signature check of the library. `cargo run --release -p parlour-auth --example verify`

use std::sync::Arc;
use std::time::{Duration, Instant};

use aws_lc_rs::encoding::{AsDer as _, Pkcs8V1Der};
use aws_lc_rs::signature::{ED25519, Ed25519KeyPair, KeyPair as _, UnparsedPublicKey};
use futures_util::future::BoxFuture;
use jsonwebtoken::jwk::JwkSet;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use parlour_auth::{AuthError, Authority, Claims, Principal, Revocation, Revocations, Settings, Verifier};
use uuid::Uuid;

const ROUNDS: usize = 5;
const UNCACHED: usize = 5_000;
const CACHED: usize = 500_000;

/// An identity that knows one key.
struct OneKey(JwkSet);

impl Authority for OneKey {
    fn keys(&self) -> BoxFuture<'_, Result<JwkSet, AuthError>> {
        Box::pin(async { Ok(self.0.clone()) })
    }

    fn introspect<'a>(&'a self, _token: &'a str) -> BoxFuture<'a, Result<Principal, AuthError>> {
        Box::pin(async { Err(AuthError::Unavailable) })
    }

    fn revocations(&self) -> BoxFuture<'_, Result<Vec<Revocation>, AuthError>> {
        Box::pin(async { Ok(Vec::new()) })
    }
}

type Failure = Box<dyn std::error::Error>;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Failure> {
    let pair = Ed25519KeyPair::generate()?;
    let tokens = tokens(&pair, UNCACHED)?;
    let key = encode(pair.public_key().as_ref());
    let jwk = serde_json::json!({ "kty": "OKP", "crv": "Ed25519", "kid": "k", "x": key });
    let keys: JwkSet = serde_json::from_value(serde_json::json!({ "keys": [jwk] }))?;
    let settings = Settings {
        issuer: "parlour".to_owned(),
        audience: "parlour".to_owned(),
        access_token_seconds: 900,
        cache_entries: UNCACHED * 2,
    };
    for round in 1..=ROUNDS {
        let revocations = Arc::new(Revocations::new(Duration::from_mins(15)));
        revocations.set_complete(true);
        let verifier = Verifier::new(settings.clone(), Arc::new(OneKey(keys.clone())), revocations);
        let uncached = each(tokens.len(), async || {
            for token in &tokens {
                verifier.verify(token).await?;
            }
            Ok(())
        });
        let uncached = uncached.await?;
        let first = tokens.first().ok_or("no token")?;
        let cached = each(CACHED, async || {
            for _ in 0..CACHED {
                verifier.verify(first).await?;
            }
            Ok(())
        });
        let cached = cached.await?;
        let bare = bare(&pair)?;
        println!(
            "round {round}: cached {cached:.3} µs, uncached {uncached:.1} µs, bare Ed25519 check {bare:.1} µs"
        );
    }
    Ok(())
}

fn tokens(pair: &Ed25519KeyPair, count: usize) -> Result<Vec<String>, Failure> {
    let der: Pkcs8V1Der<'_> = pair.as_der()?;
    let signing = EncodingKey::from_ed_der(der.as_ref());
    let mut header = Header::new(Algorithm::EdDSA);
    header.kid = Some("k".to_owned());
    let now = chrono::Utc::now().timestamp();
    let make = |_| {
        let claims = Claims {
            iss: "parlour".to_owned(),
            sub: Uuid::now_v7(),
            aud: "parlour".to_owned(),
            iat: now,
            exp: now + 900,
            jti: Uuid::now_v7(),
            sid: Uuid::now_v7(),
            roles: vec!["client".to_owned()],
            perms: Vec::new(),
            lvl: None,
            ctry: None,
        };
        Ok(jsonwebtoken::encode(&header, &claims, &signing)?)
    };
    (0..count).map(make).collect()
}

/// Microseconds of each of `count` pieces of `work`.
async fn each(count: usize, work: impl AsyncFnOnce() -> Result<(), AuthError>) -> Result<f64, AuthError> {
    let started = Instant::now();
    work().await?;
    Ok(micros(started.elapsed(), count))
}

/// The library's signature check alone, on a message as long as a token's.
fn bare(pair: &Ed25519KeyPair) -> Result<f64, Failure> {
    let message = [b'x'; 400];
    let signature = pair.sign(&message);
    let key = UnparsedPublicKey::new(&ED25519, pair.public_key().as_ref());
    let started = Instant::now();
    for _ in 0..UNCACHED {
        key.verify(&message, signature.as_ref())?;
    }
    Ok(micros(started.elapsed(), UNCACHED))
}

#[expect(clippy::cast_precision_loss, reason = "counts of a few thousand")]
fn micros(time: Duration, count: usize) -> f64 {
    time.as_secs_f64() * 1e6 / count as f64
}

fn encode(bytes: &[u8]) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(bytes)
}
