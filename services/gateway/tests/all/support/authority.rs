//! Issues real tokens with a key of the test run, and answers what identity would.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock};

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use futures_util::future::BoxFuture;
use jsonwebtoken::jwk::JwkSet;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use parlour_auth::{AuthError, Authority, Claims, Principal, Revocation};
use parlour_chassis::{Built, Context, Service};
use parlour_http::Routes;
use serde_json::json;
use uuid::Uuid;

pub(crate) struct Double {
    key: EncodingKey,
    public: String,
    /// How often the keys were asked for.
    pub(crate) asked: AtomicUsize,
}

pub(crate) static DOUBLE: LazyLock<Arc<Double>> = LazyLock::new(|| {
    let document = Ed25519KeyPair::generate_pkcs8(&aws_lc_rs::rand::SystemRandom::new()).unwrap();
    let pair = Ed25519KeyPair::from_pkcs8(document.as_ref()).unwrap();
    Arc::new(Double {
        key: EncodingKey::from_ed_der(document.as_ref()),
        public: URL_SAFE_NO_PAD.encode(pair.public_key().as_ref()),
        asked: AtomicUsize::new(0),
    })
});

impl Authority for Double {
    fn keys(&self) -> BoxFuture<'_, Result<JwkSet, AuthError>> {
        self.asked.fetch_add(1, Ordering::Relaxed);
        let key = json!({ "kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "use": "sig", "kid": "test",
                          "x": self.public });
        let set = serde_json::from_value(json!({ "keys": [key] })).unwrap();
        Box::pin(async move { Ok(set) })
    }

    fn introspect<'a>(&'a self, _: &'a str) -> BoxFuture<'a, Result<Principal, AuthError>> {
        Box::pin(async { Err(AuthError::Invalid) })
    }

    fn revocations(&self) -> BoxFuture<'_, Result<Vec<Revocation>, AuthError>> {
        Box::pin(async { Ok(Vec::new()) })
    }
}

/// The service that has the authority, and nothing else.
pub(crate) fn service() -> Service {
    Service {
        name: "keeper",
        health: None,
        defaults: "",
        migrations: Vec::new,
        has_database: false,
        routes: || Routes::of("keeper"),
        build,
    }
}

fn build(_: Context) -> BoxFuture<'static, anyhow::Result<Built>> {
    Box::pin(async {
        let mut built = Built::new(Arc::new(()));
        built.authority = Some(DOUBLE.clone());
        Ok(built)
    })
}

/// A token of somebody with these roles.
pub(crate) fn token(roles: &[&str]) -> String {
    token_of(Uuid::now_v7(), roles, 600)
}

/// A token of an account that ends in so many seconds.
pub(crate) fn token_of(account: Uuid, roles: &[&str], seconds: i64) -> String {
    let now = chrono::Utc::now().timestamp();
    let claims = Claims {
        iss: "parlour".to_owned(),
        sub: account,
        aud: "parlour".to_owned(),
        iat: now,
        exp: now + seconds,
        jti: Uuid::now_v7(),
        sid: Uuid::now_v7(),
        roles: roles.iter().map(|role| (*role).to_owned()).collect(),
        perms: Vec::new(),
        lvl: None,
        ctry: None,
    };
    let mut header = Header::new(Algorithm::EdDSA);
    header.kid = Some("test".to_owned());
    jsonwebtoken::encode(&header, &claims, &DOUBLE.key).unwrap()
}
