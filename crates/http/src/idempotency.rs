//! Doing a thing once, however often it is asked for under one `Idempotency-Key`.
//!
//! The answer is stored in the transaction of the effect: either both are there
//! or neither, also after a crash and from another replica. An advisory lock for
//! the length of the transaction tells a request that is still being worked on
//! from one that never came to its end.

use std::sync::Arc;

use actix_web::http::StatusCode;
use aws_lc_rs::digest;
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool};
use diesel_async::RunQueryDsl;
use parlour_db::{Conn, Db, DbError, Scope, Tx, Work};

use crate::input::read_body;
use crate::kept::Answer;
use crate::{ApiError, Call, Extract, Reply, ServiceHandle, code};

diesel::table! {
    idempotency_keys (id) {
        id -> Bytea,
        body_hash -> Bytea,
        answer_sealed -> Bytea,
        created_at -> Timestamptz,
    }
}

/// How long keys live, in hours.
const LIFETIME_HOURS: i64 = 24;

/// The caller's idempotency key, if they sent one. As the last argument of a
/// handler: it covers the body, whether somebody has read it before or nobody needs it.
pub struct Once {
    service: Arc<ServiceHandle>,
    key: Option<Key>,
}

#[derive(Clone)]
struct Key {
    id: Vec<u8>,
    body_hash: Vec<u8>,
}

/// The caller's idempotency key before the body was read: for handlers that read it
/// themselves, piece by piece.
pub struct OnceRead {
    service: Arc<ServiceHandle>,
    id: Option<Vec<u8>>,
}

impl Extract for OnceRead {
    async fn extract(call: &mut Call) -> Result<Self, ApiError> {
        let service = call.service.clone();
        let Some(value) = call.request.headers().get("idempotency-key") else {
            return Ok(Self { service, id: None });
        };
        let text = value.to_str().unwrap_or_default().trim();
        if text.is_empty() || text.len() > 255 {
            return Err(ApiError::field(
                "Idempotency-Key",
                "must have 1 to 255 visible ASCII characters",
            ));
        }
        let caller = match &call.principal {
            Some(principal) => principal.id.to_string(),
            None => call.address.to_string(),
        };
        let mut context = digest::Context::new(&digest::SHA256);
        for part in [&caller, call.route.method.as_str(), call.request.path(), text] {
            context.update(part.as_bytes());
            context.update(&[0]);
        }
        let id = Some(context.finish().as_ref().to_vec());
        Ok(Self { service, id })
    }
}

impl OnceRead {
    /// The key with the digest of what it covers.
    pub fn covering(self, digest: [u8; 32]) -> Once {
        let key = self.id.map(|id| Key {
            id,
            body_hash: digest.to_vec(),
        });
        Once {
            service: self.service,
            key,
        }
    }
}

impl Extract for Once {
    async fn extract(call: &mut Call) -> Result<Self, ApiError> {
        let read = OnceRead::extract(call).await?;
        let announced = call.header("content-length").is_some_and(|length| length != "0");
        if read.id.is_some() && announced && call.body_hash == [0; 32] {
            // Nothing of the body is needed, and yet another body is another request.
            read_body(call).await?;
        }
        Ok(read.covering(call.body_hash))
    }
}

impl Once {
    /// Whether the caller sent a key.
    pub fn has_key(&self) -> bool {
        self.key.is_some()
    }

    /// Runs `work` in a transaction of `scope`; under a key, once.
    pub async fn write<F, E>(self, scope: Scope, work: F) -> Result<Reply, ApiError>
    where
        for<'t> F:
            AsyncFnOnce(&'t mut Tx) -> Result<Reply, E> + Work<&'t mut Tx, Result<Reply, E>> + Send + 'static,
        E: Into<ApiError> + From<DbError> + Send + 'static,
    {
        let service = self.service;
        let db = service.db()?.clone();
        let Some(key) = self.key else {
            return db.write(scope, work).await.map_err(Into::into);
        };
        db.write(scope, async move |tx: &mut Tx| {
            once_in(tx, &service, &key, work).await
        })
        .await?
    }

    /// Reads with `look` and writes what follows from it with `write`, as [`Db::write_seen`] does; under a key, in
    /// a transaction of `scope`, once.
    pub async fn write_seen<L, S, W, E>(self, scope: Scope, look: L, write: W) -> Result<Reply, ApiError>
    where
        for<'c> L: AsyncFn(&'c Conn) -> QueryResult<S>
            + Clone
            + Work<&'c Conn, QueryResult<S>>
            + Send
            + Sync
            + 'static,
        for<'t> W: AsyncFn((&'t mut Tx, S)) -> Result<Option<Reply>, E>
            + Clone
            + Work<(&'t mut Tx, S), Result<Option<Reply>, E>>
            + Send
            + Sync
            + 'static,
        S: Send + 'static,
        E: Into<ApiError> + From<DbError> + Send + 'static,
    {
        if self.key.is_some() {
            let work = async move |tx: &mut Tx| tx.write_seen(look, write).await;
            return self.write(scope, work).await;
        }
        let db = self.service.db()?.clone();
        db.write_seen(look, write).await.map_err(Into::into)
    }
}

/// The outer result rolls back, the inner one is committed and answered.
async fn once_in<F, E>(
    tx: &mut Tx,
    service: &ServiceHandle,
    key: &Key,
    work: F,
) -> Result<Result<Reply, ApiError>, ApiError>
where
    for<'t> F:
        AsyncFnOnce(&'t mut Tx) -> Result<Reply, E> + Work<&'t mut Tx, Result<Reply, E>> + Send + 'static,
    E: Into<ApiError> + From<DbError> + Send + 'static,
{
    lock(tx, key).await?;
    if let Some(answer) = stored(tx, service, key).await? {
        return Ok(answer);
    }
    match tx.savepoint(work).await {
        Ok(reply) => {
            store(tx, service, key, &Answer::of_reply(&reply)).await?;
            Ok(Ok(reply))
        }
        Err(error) => {
            let error: ApiError = error.into();
            if !error.is_final() {
                return Err(error);
            }
            store(tx, service, key, &Answer::of_refusal(&error)).await?;
            Ok(Err(error))
        }
    }
}

async fn lock(tx: &mut Tx, key: &Key) -> Result<(), ApiError> {
    let number = key
        .id
        .first_chunk::<8>()
        .map_or(0, |bytes| i64::from_be_bytes(*bytes));
    let locked: bool = diesel::select(
        diesel::dsl::sql::<Bool>("pg_try_advisory_xact_lock(")
            .bind::<BigInt, _>(number)
            .sql(")"),
    )
    .get_result(tx)
    .await?;
    if locked {
        return Ok(());
    }
    Err(ApiError::new(
        StatusCode::CONFLICT,
        code::IDEMPOTENCY_IN_PROGRESS,
        "A request with this Idempotency-Key is still being worked on.",
    )
    .with_retry_after(std::time::Duration::from_secs(1)))
}

async fn stored(
    tx: &mut Tx,
    service: &ServiceHandle,
    key: &Key,
) -> Result<Option<Result<Reply, ApiError>>, ApiError> {
    let row: Option<(Vec<u8>, Vec<u8>, DateTime<Utc>)> = idempotency_keys::table
        .find(&key.id)
        .select((
            idempotency_keys::body_hash,
            idempotency_keys::answer_sealed,
            idempotency_keys::created_at,
        ))
        .first(tx)
        .await
        .optional()?;
    let Some((body_hash, sealed, created_at)) = row else {
        return Ok(None);
    };
    if Utc::now() - created_at > chrono::Duration::hours(LIFETIME_HOURS) {
        diesel::delete(idempotency_keys::table.find(&key.id))
            .execute(tx)
            .await?;
        return Ok(None);
    }
    if body_hash != key.body_hash {
        return Err(ApiError::new(
            StatusCode::CONFLICT,
            code::IDEMPOTENCY_KEY_REUSED,
            "This Idempotency-Key was used with another body.",
        ));
    }
    let plain = service.vault.open(&place(key), &sealed)?;
    let answer: Answer = serde_json::from_slice(&plain).map_err(ApiError::internal)?;
    Ok(Some(answer.again()))
}

async fn store(tx: &mut Tx, service: &ServiceHandle, key: &Key, answer: &Answer) -> Result<(), ApiError> {
    // Sealed, because an answer may hold tokens or personal fields.
    let plain = serde_json::to_vec(answer).map_err(ApiError::internal)?;
    let sealed = service.vault.seal(&place(key), &plain)?;
    diesel::insert_into(idempotency_keys::table)
        .values((
            idempotency_keys::id.eq(&key.id),
            idempotency_keys::body_hash.eq(&key.body_hash),
            idempotency_keys::answer_sealed.eq(sealed),
        ))
        .execute(tx)
        .await?;
    Ok(())
}

fn place(key: &Key) -> String {
    use base64::Engine as _;
    let id = base64::engine::general_purpose::STANDARD.encode(&key.id);
    format!("idempotency_keys.answer:{id}")
}

/// Deletes keys past their lifetime. Answers how many.
pub async fn sweep_keys(db: &Db) -> Result<usize, DbError> {
    let mut conn = db.conn().await?;
    let deleted = diesel::sql_query(
        "DELETE FROM idempotency_keys WHERE id IN (
           SELECT id FROM idempotency_keys WHERE created_at < now() - interval '24 hours'
           LIMIT 5000 FOR UPDATE SKIP LOCKED)",
    )
    .execute(&mut conn)
    .await?;
    Ok(deleted)
}
