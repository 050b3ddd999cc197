//! The keys that sign access tokens. All replicas share them through the database.

use std::sync::{PoisonError, RwLock};

use aws_lc_rs::encoding::{AsDer as _, Pkcs8V1Der};
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, Duration, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use jsonwebtoken::jwk::JwkSet;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use parlour_auth::Claims;
use parlour_chassis::{Clock, Context};
use parlour_db::{Conn, Db, Scope, Tx};
use parlour_vault::Vault;
use serde_json::json;

use crate::error::Error;
use crate::schema::signing_keys;

/// How long a key is published before it signs, so that every cache can have it.
const LEAD: Duration = Duration::minutes(2);

#[derive(Clone, Queryable, Selectable, Insertable)]
#[diesel(table_name = signing_keys)]
struct Row {
    kid: String,
    private_sealed: Vec<u8>,
    public_key: Vec<u8>,
    created_at: DateTime<Utc>,
    active_from: DateTime<Utc>,
    verifies_until: Option<DateTime<Utc>>,
}

struct Key {
    kid: String,
    signing: EncodingKey,
    public: Vec<u8>,
    active_from: DateTime<Utc>,
}

/// The keys as this replica knows them.
pub struct KeyRing {
    keys: RwLock<Vec<Key>>,
    vault: Vault,
    clock: Clock,
    key_days: i64,
    token_lifetime: Duration,
}

impl KeyRing {
    /// A ring without keys; [`refresh`](Self::refresh) reads them.
    pub fn new(context: &Context, key_days: i64, token_lifetime: Duration) -> Self {
        Self {
            keys: RwLock::default(),
            vault: context.vault.clone(),
            clock: context.clock.clone(),
            key_days,
            token_lifetime,
        }
    }

    /// Reads the keys. Makes the first one where there is none, and when the newest is too old
    /// its successor.
    pub async fn refresh(&self, db: &Db) -> Result<(), Error> {
        let now = self.clock.now();
        let mut rows = load(&mut *db.conn().await?, now).await?;
        let newest = rows.iter().map(|row| row.active_from).max();
        let due = newest.is_none_or(|from| now - from > Duration::days(self.key_days));
        if due {
            rows = self.add(db, newest).await?;
        }
        let keys = rows.iter().map(|row| self.read(row)).collect::<Result<_, _>>()?;
        *self.keys.write().unwrap_or_else(PoisonError::into_inner) = keys;
        Ok(())
    }

    /// Adds a key that takes over soon, whatever the age of the present one.
    pub async fn rotate(&self, db: &Db) -> Result<(), Error> {
        let rows = load(&mut *db.conn().await?, self.clock.now()).await?;
        let newest = rows.iter().map(|row| row.active_from).max();
        self.add(db, newest).await?;
        self.refresh(db).await
    }

    /// Adds a key unless another replica did since `seen` was the newest.
    async fn add(&self, db: &Db, seen: Option<DateTime<Utc>>) -> Result<Vec<Row>, Error> {
        let now = self.clock.now();
        // The very first key has nobody to wait for.
        let active_from = if seen.is_some() { now + LEAD } else { now };
        let row = self.generate(now, active_from)?;
        let retire = active_from + self.token_lifetime + Duration::minutes(1);
        db.write(Scope::Service, async move |tx: &mut Tx| -> Result<_, Error> {
            diesel::sql_query("LOCK TABLE signing_keys IN SHARE ROW EXCLUSIVE MODE")
                .execute(tx)
                .await?;
            let newest: Option<DateTime<Utc>> = signing_keys::table
                .select(diesel::dsl::max(signing_keys::active_from))
                .first(tx)
                .await?;
            if newest == seen {
                diesel::update(signing_keys::table)
                    .filter(signing_keys::verifies_until.is_null())
                    .set(signing_keys::verifies_until.eq(retire))
                    .execute(tx)
                    .await?;
                diesel::insert_into(signing_keys::table)
                    .values(&row)
                    .execute(tx)
                    .await?;
            }
            Ok(load(tx, now).await?)
        })
        .await
    }

    fn generate(&self, now: DateTime<Utc>, active_from: DateTime<Utc>) -> Result<Row, Error> {
        let pair = Ed25519KeyPair::generate().map_err(|e| Error::Internal(e.to_string()))?;
        let private: Pkcs8V1Der<'_> = pair.as_der().map_err(|e| Error::Internal(e.to_string()))?;
        let kid = parlour_contracts::id::new().simple().to_string();
        Ok(Row {
            private_sealed: self.vault.seal(&place(&kid), private.as_ref())?,
            public_key: pair.public_key().as_ref().to_vec(),
            kid,
            created_at: now,
            active_from,
            verifies_until: None,
        })
    }

    fn read(&self, row: &Row) -> Result<Key, Error> {
        let private = self.vault.open(&place(&row.kid), &row.private_sealed)?;
        Ok(Key {
            kid: row.kid.clone(),
            signing: EncodingKey::from_ed_der(&private),
            public: row.public_key.clone(),
            active_from: row.active_from,
        })
    }

    /// Signs `claims` with the newest key that may sign.
    pub fn sign(&self, claims: &Claims) -> Result<String, Error> {
        let keys = self.keys.read().unwrap_or_else(PoisonError::into_inner);
        let now = self.clock.now();
        let key = keys
            .iter()
            .filter(|key| key.active_from <= now)
            .max_by_key(|key| key.active_from)
            .ok_or_else(|| Error::Internal("no signing key".to_owned()))?;
        let mut header = Header::new(Algorithm::EdDSA);
        header.kid = Some(key.kid.clone());
        jsonwebtoken::encode(&header, claims, &key.signing)
            .map_err(|error| Error::Internal(error.to_string()))
    }

    /// The public keys (RFC 7517, RFC 8037).
    pub fn jwks(&self) -> serde_json::Value {
        let keys = self.keys.read().unwrap_or_else(PoisonError::into_inner);
        let list: Vec<_> = keys
            .iter()
            .map(|key| {
                json!({
                    "kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "use": "sig",
                    "kid": key.kid, "x": URL_SAFE_NO_PAD.encode(&key.public),
                })
            })
            .collect();
        json!({ "keys": list })
    }

    /// The same, as the verifier reads it.
    pub fn jwk_set(&self) -> Result<JwkSet, Error> {
        serde_json::from_value(self.jwks()).map_err(|error| Error::Internal(error.to_string()))
    }
}

fn place(kid: &str) -> String {
    format!("signing_keys.private:{kid}")
}

/// The keys that verify at `now`, the newest first.
async fn load(conn: &mut Conn, now: DateTime<Utc>) -> QueryResult<Vec<Row>> {
    signing_keys::table
        .filter(
            signing_keys::verifies_until
                .is_null()
                .or(signing_keys::verifies_until.gt(now)),
        )
        .order(signing_keys::active_from.desc())
        .select(Row::as_select())
        .load(conn)
        .await
}
