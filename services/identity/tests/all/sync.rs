//! `POST /api/auth/sync`, against issuers that the test runs: own keys, JWKS over HTTP, rotation.

use std::sync::{Arc, Mutex};

use actix_web::{App as Actix, HttpResponse, HttpServer, web};
use aws_lc_rs::encoding::{AsDer as _, Pkcs8V1Der};
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _, RsaKeyPair};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use futures_util::future::join_all;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use parlour_testkit::{Answer, App};
use serde_json::{Value, json};

use crate::identity;
use crate::support::accounts;

const ISSUER: &str = "https://issuer.example/auth/v1";

/// A signing key of an issuer.
struct Key {
    algorithm: Algorithm,
    private: EncodingKey,
    jwk: Value,
}

impl Key {
    fn es256(kid: &str) -> Self {
        let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
        let point = pair.public_key().as_ref();
        let (x, y) = (&point[1..33], &point[33..65]);
        let jwk = json!({
            "kty": "EC", "crv": "P-256", "use": "sig", "kid": kid,
            "x": URL_SAFE_NO_PAD.encode(x), "y": URL_SAFE_NO_PAD.encode(y),
        });
        let der = pair.to_pkcs8v1().unwrap();
        Self {
            algorithm: Algorithm::ES256,
            private: EncodingKey::from_ec_der(der.as_ref()),
            jwk,
        }
    }

    fn rs256(kid: &str) -> Self {
        let pair = RsaKeyPair::generate(KeySize::Rsa2048).unwrap();
        let public = pair.public_key();
        let modulus = public.modulus().big_endian_without_leading_zero().to_vec();
        let exponent = public.exponent().big_endian_without_leading_zero().to_vec();
        let jwk = json!({
            "kty": "RSA", "use": "sig", "kid": kid,
            "n": URL_SAFE_NO_PAD.encode(modulus), "e": URL_SAFE_NO_PAD.encode(exponent),
        });
        let der: Pkcs8V1Der<'_> = pair.as_der().unwrap();
        let pem = pem(der.as_ref());
        Self {
            algorithm: Algorithm::RS256,
            private: EncodingKey::from_rsa_pem(pem.as_bytes()).unwrap(),
            jwk,
        }
    }

    fn sign(&self, claims: &Value) -> String {
        let mut header = Header::new(self.algorithm);
        header.kid = self.jwk["kid"].as_str().map(ToOwned::to_owned);
        jsonwebtoken::encode(&header, claims, &self.private).unwrap()
    }
}

fn pem(der: &[u8]) -> String {
    let text = base64::engine::general_purpose::STANDARD.encode(der);
    let lines: Vec<&str> = text
        .as_bytes()
        .chunks(64)
        .map(|l| std::str::from_utf8(l).unwrap())
        .collect();
    format!(
        "-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n",
        lines.join("\n")
    )
}

/// An issuer's key set behind HTTP, and how often it was asked for.
#[derive(Clone, Default)]
struct Published(Arc<Mutex<(Vec<Value>, usize)>>);

impl Published {
    fn set(&self, keys: &[&Key]) {
        self.0.lock().unwrap().0 = keys.iter().map(|key| key.jwk.clone()).collect();
    }

    fn fetched(&self) -> usize {
        self.0.lock().unwrap().1
    }

    fn serve(&self) -> String {
        let data = web::Data::new(self.clone());
        let keys = |published: web::Data<Published>| async move {
            let mut inner = published.0.lock().unwrap();
            inner.1 += 1;
            HttpResponse::Ok().json(json!({ "keys": inner.0 }))
        };
        let server = HttpServer::new(move || {
            Actix::new()
                .app_data(data.clone())
                .default_service(web::get().to(keys))
        })
        .workers(1)
        .disable_signals()
        .bind("127.0.0.1:0")
        .unwrap();
        let url = format!("http://{}/jwks.json", server.addrs()[0]);
        tokio::spawn(server.run());
        url
    }
}

fn claims(subject: &str, email: Option<&str>, verified: bool) -> Value {
    let now = chrono::Utc::now().timestamp();
    json!({
        "iss": ISSUER, "aud": "authenticated", "sub": subject, "iat": now, "exp": now + 3600,
        "email": email, "email_verified": verified, "given_name": "Ana", "family_name": "Lund",
    })
}

async fn app(url: &str) -> App {
    let issuers = json!([
        { "name": "supabase", "issuer": ISSUER, "audience": "authenticated", "jwks_url": url },
        { "name": "legacy", "issuer": "https://legacy.example", "hs256_secret": "a-very-long-shared-secret-indeed" },
        { "name": "dead", "issuer": "https://dead.example", "jwks_url": "http://127.0.0.1:9/jwks.json" },
    ]);
    App::of(&identity())
        .set("identity.issuers", issuers)
        .start()
        .await
}

async fn sync(app: &App, token: &str) -> Answer {
    app.post("/api/auth/sync").bearer(token).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_subject_gets_one_account_and_our_tokens() {
    let (published, key) = (Published::default(), Key::es256("k1"));
    published.set(&[&key]);
    let app = app(&published.serve()).await;
    let token = key.sign(&claims("s-1", Some("Ana@Example.org"), true));
    let answers = join_all((0..8).map(|_| sync(&app, &token))).await;
    let ids: Vec<Value> = answers
        .iter()
        .map(|a| a.expect(200).data()["user"]["id"].clone())
        .collect();
    assert!(ids.iter().all(|id| *id == ids[0]), "{ids:?}");
    assert_eq!(accounts(&app).await, 1);
    let data = answers[0].data();
    assert_eq!(data["user"]["email"], "ana@example.org");
    assert_eq!(data["user"]["email_verified"], true);
    assert_eq!(data["user"]["first_name"], "Ana");
    app.get("/api/profile")
        .bearer(data["access_token"].as_str().unwrap())
        .await
        .expect(200);
    assert_eq!(published.fetched(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_rotate_and_strangers_cannot_make_us_ask_again_and_again() {
    let (published, old, new) = (Published::default(), Key::rs256("old"), Key::es256("new"));
    published.set(&[&old]);
    let app = app(&published.serve()).await;
    sync(&app, &old.sign(&claims("s-1", None, false)))
        .await
        .expect(200);
    published.set(&[&old, &new]);
    // Within a minute of the last fetch an unknown key id is refused without asking.
    for _ in 0..5 {
        sync(&app, &new.sign(&claims("s-2", None, false)))
            .await
            .expect(401);
    }
    assert_eq!(published.fetched(), 1);
    sync(&app, &old.sign(&claims("s-1", None, false)))
        .await
        .expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn tokens_that_are_not_right_are_refused() {
    let (published, key, other) = (Published::default(), Key::es256("k1"), Key::es256("k1"));
    published.set(&[&key]);
    let app = app(&published.serve()).await;
    let good = claims("s-1", None, false);
    let change = |name: &str, value: Value| {
        let mut changed = good.clone();
        changed[name] = value;
        key.sign(&changed)
    };
    let now = chrono::Utc::now().timestamp();
    let mut hs = Header::new(Algorithm::HS256);
    hs.kid = Some("k1".to_owned());
    let public = EncodingKey::from_secret(key.jwk["x"].as_str().unwrap().as_bytes());
    let none = format!(
        "{}.{}.",
        URL_SAFE_NO_PAD.encode(r#"{"alg":"none","kid":"k1"}"#),
        URL_SAFE_NO_PAD.encode(good.to_string())
    );
    for token in [
        other.sign(&good),
        change("exp", json!(now - 60)),
        change("nbf", json!(now + 600)),
        change("aud", json!("somebody")),
        change("iss", json!("https://unknown.example")),
        change("sub", json!("")),
        change("sub", json!("x".repeat(300))),
        jsonwebtoken::encode(&hs, &good, &public).unwrap(),
        none,
        "rubbish".to_owned(),
    ] {
        sync(&app, &token)
            .await
            .expect_error(401, "AUTHENTICATION_REQUIRED");
    }
    app.post("/api/auth/sync")
        .await
        .expect_error(401, "AUTHENTICATION_REQUIRED");
    assert_eq!(accounts(&app).await, 0);
    let dead = change("iss", json!("https://dead.example"));
    sync(&app, &dead).await.expect_error(503, "UPSTREAM_UNAVAILABLE");
    sync(&app, &key.sign(&good)).await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_is_linked_only_when_both_sides_verified_the_address() {
    let (published, key) = (Published::default(), Key::es256("k1"));
    published.set(&[&key]);
    let app = app(&published.serve()).await;
    let person = app.person("client").await;
    let linked = |subject: &'static str, verified: bool| {
        let token = key.sign(&claims(subject, Some(&person.email), verified));
        let app = &app;
        async move { sync(app, &token).await.expect(200).data()["user"]["id"].clone() }
    };
    assert_ne!(
        linked("s-1", true).await,
        json!(person.id),
        "ours is not verified"
    );
    let sql = "UPDATE identity.accounts SET email_verified = true WHERE email_index IS NOT NULL";
    app.database().admin().await.batch_execute(sql).await.unwrap();
    assert_ne!(
        linked("s-2", false).await,
        json!(person.id),
        "theirs is not verified"
    );
    assert_eq!(linked("s-3", true).await, json!(person.id));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_legacy_project_signs_with_a_secret() {
    let app = app("http://127.0.0.1:9/jwks.json").await;
    let mut claims = claims("s-1", None, false);
    claims["iss"] = json!("https://legacy.example");
    let sign = |secret: &str| {
        let key = EncodingKey::from_secret(secret.as_bytes());
        jsonwebtoken::encode(&Header::new(Algorithm::HS256), &claims, &key).unwrap()
    };
    sync(&app, &sign("a-very-long-shared-secret-indeed"))
        .await
        .expect(200);
    sync(&app, &sign("another-secret")).await.expect(401);
}
