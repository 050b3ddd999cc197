//! API tokens of integrations.

use chrono::{DateTime, Duration, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use parlour_db::Conn;
use uuid::Uuid;

use crate::schema::api_tokens;

/// A row.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = api_tokens)]
#[expect(missing_docs, reason = "the migration documents the columns")]
pub struct ApiToken {
    pub id: Uuid,
    pub account_id: Uuid,
    pub name: String,
    pub prefix: String,
    pub scopes: Vec<String>,
    pub created_at: DateTime<Utc>,
    pub expires_at: Option<DateTime<Utc>>,
    pub last_used_at: Option<DateTime<Utc>>,
}

/// What a new token is made of.
#[derive(Insertable)]
#[diesel(table_name = api_tokens)]
#[expect(missing_docs, reason = "the migration documents the columns")]
pub struct NewApiToken {
    pub id: Uuid,
    pub account_id: Uuid,
    pub name: String,
    pub prefix: String,
    pub hash: Vec<u8>,
    pub scopes: Vec<String>,
    pub expires_at: Option<DateTime<Utc>>,
}

/// Inserts a token.
pub async fn insert(conn: &mut Conn, token: &NewApiToken) -> QueryResult<ApiToken> {
    diesel::insert_into(api_tokens::table)
        .values(token)
        .returning(ApiToken::as_returning())
        .get_result(conn)
        .await
}

/// The live tokens of an account, the newest first.
pub async fn of_account(conn: &mut Conn, account: Uuid) -> QueryResult<Vec<ApiToken>> {
    api_tokens::table
        .filter(api_tokens::account_id.eq(account))
        .filter(api_tokens::revoked_at.is_null())
        .order((api_tokens::created_at.desc(), api_tokens::id.desc()))
        .limit(i64::from(MOST))
        .select(ApiToken::as_select())
        .load(conn)
        .await
}

/// How many live tokens an account may have.
pub const MOST: i32 = 50;

/// A live token by its hash; notes that it was used, once a minute at the most.
pub async fn by_hash(conn: &mut Conn, hash: &[u8], now: DateTime<Utc>) -> QueryResult<Option<ApiToken>> {
    let found: Option<ApiToken> = api_tokens::table
        .filter(api_tokens::hash.eq(hash))
        .filter(api_tokens::revoked_at.is_null())
        .filter(
            api_tokens::expires_at
                .is_null()
                .or(api_tokens::expires_at.gt(now)),
        )
        .select(ApiToken::as_select())
        .first(conn)
        .await
        .optional()?;
    if let Some(token) = &found
        && token
            .last_used_at
            .is_none_or(|at| now - at > Duration::minutes(1))
    {
        diesel::update(api_tokens::table.find(token.id))
            .set(api_tokens::last_used_at.eq(now))
            .execute(conn)
            .await?;
    }
    Ok(found)
}

/// Revokes a token of an account. False when there is none.
pub async fn revoke(conn: &mut Conn, account: Uuid, id: Uuid, now: DateTime<Utc>) -> QueryResult<bool> {
    let revoked = diesel::update(api_tokens::table.find(id))
        .filter(api_tokens::account_id.eq(account))
        .filter(api_tokens::revoked_at.is_null())
        .set(api_tokens::revoked_at.eq(now))
        .execute(conn)
        .await?;
    Ok(revoked == 1)
}

/// Tokens revoked lately, whose verdict may still be cached somewhere.
pub async fn revoked_since(conn: &mut Conn, since: DateTime<Utc>) -> QueryResult<Vec<(Uuid, Uuid)>> {
    api_tokens::table
        .filter(api_tokens::revoked_at.gt(since))
        .select((api_tokens::id, api_tokens::account_id))
        .load(conn)
        .await
}
