//! Issues real tokens with a key of the test run, and answers what identity would.

use std::sync::{Arc, LazyLock};

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use futures_util::future::BoxFuture;
use jsonwebtoken::jwk::JwkSet;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use parlour_auth::{AuthError, Authority, Claims, Principal, Revocation, Settings, TokenReader};
use parlour_chassis::{Built, Context, Service};
use parlour_http::Routes;
use serde_json::json;
use uuid::Uuid;

pub(crate) struct Double {
    key: EncodingKey,
    public: String,
    reader: TokenReader,
}

pub(crate) static DOUBLE: LazyLock<Arc<Double>> = LazyLock::new(|| {
    let document = Ed25519KeyPair::generate_pkcs8(&aws_lc_rs::rand::SystemRandom::new()).unwrap();
    let pair = Ed25519KeyPair::from_pkcs8(document.as_ref()).unwrap();
    Arc::new(Double {
        key: EncodingKey::from_ed_der(document.as_ref()),
        reader: TokenReader::new(Settings {
            issuer: "parlour".to_owned(),
            audience: "parlour".to_owned(),
            access_token_seconds: 900,
            cache_entries: 100,
        }),
        public: URL_SAFE_NO_PAD.encode(pair.public_key().as_ref()),
    })
});

impl Authority for Double {
    fn keys(&self) -> BoxFuture<'_, Result<JwkSet, AuthError>> {
        let key = json!({ "kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "use": "sig", "kid": "test",
                          "x": self.public });
        let set = serde_json::from_value(json!({ "keys": [key] })).unwrap();
        Box::pin(async move { Ok(set) })
    }

    /// Without a broker nothing tells of revocations, so that every token is asked about.
    fn introspect<'a>(&'a self, token: &'a str) -> BoxFuture<'a, Result<Principal, AuthError>> {
        Box::pin(self.reader.read(token, async || self.keys().await))
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
        check: |_| Ok(()),
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
