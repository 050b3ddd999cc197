//! Mailed links and second-factor challenges: each works once.

use chrono::{DateTime, Duration, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use parlour_db::Conn;
use uuid::Uuid;

use crate::schema::{recovery_codes, single_use_tokens};

/// What a token is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// Proves an e-mail address.
    VerifyEmail,
    /// Sets a new password.
    ResetPassword,
    /// Stands for a password that was right, until the second factor is shown.
    TwoFactor,
}

impl Purpose {
    fn name(self) -> &'static str {
        match self {
            Purpose::VerifyEmail => "verify_email",
            Purpose::ResetPassword => "reset_password",
            Purpose::TwoFactor => "two_factor",
        }
    }
}

/// A token to be.
#[derive(Clone, Copy, Debug)]
#[expect(missing_docs, reason = "the names say it")]
pub struct NewToken<'a> {
    pub hash: &'a [u8],
    pub account: Uuid,
    pub purpose: Purpose,
    pub made_at: DateTime<Utc>,
    pub lifetime: Duration,
}

/// Inserts a token. Older links of the same purpose stop working; challenges do not.
pub async fn insert(conn: &mut Conn, new: &NewToken<'_>) -> QueryResult<()> {
    if new.purpose != Purpose::TwoFactor {
        end_all(conn, new.account, new.purpose, new.made_at).await?;
    }
    diesel::insert_into(single_use_tokens::table)
        .values((
            single_use_tokens::hash.eq(new.hash),
            single_use_tokens::account_id.eq(new.account),
            single_use_tokens::purpose.eq(new.purpose.name()),
            single_use_tokens::expires_at.eq(new.made_at + new.lifetime),
        ))
        .execute(conn)
        .await?;
    Ok(())
}

/// Ends all tokens of a purpose.
async fn end_all(conn: &mut Conn, account: Uuid, purpose: Purpose, now: DateTime<Utc>) -> QueryResult<()> {
    diesel::update(single_use_tokens::table)
        .filter(single_use_tokens::account_id.eq(account))
        .filter(single_use_tokens::purpose.eq(purpose.name()))
        .filter(single_use_tokens::used_at.is_null())
        .set(single_use_tokens::used_at.eq(now))
        .execute(conn)
        .await?;
    Ok(())
}

/// Uses a token up. Answers whose it was; `None` when it is unknown, used or expired.
pub async fn redeem(
    conn: &mut Conn,
    hash: &[u8],
    purpose: Purpose,
    now: DateTime<Utc>,
) -> QueryResult<Option<Uuid>> {
    diesel::update(single_use_tokens::table.find(hash))
        .filter(single_use_tokens::purpose.eq(purpose.name()))
        .filter(single_use_tokens::used_at.is_null())
        .filter(single_use_tokens::expires_at.gt(now))
        .set(single_use_tokens::used_at.eq(now))
        .returning(single_use_tokens::account_id)
        .get_result(conn)
        .await
        .optional()
}

/// Counts an attempt at a challenge. Answers whose it is; `None` when it is dead
/// or had `most` attempts already.
pub async fn attempt(
    conn: &mut Conn,
    hash: &[u8],
    most: i32,
    now: DateTime<Utc>,
) -> QueryResult<Option<Uuid>> {
    diesel::update(single_use_tokens::table.find(hash))
        .filter(single_use_tokens::purpose.eq(Purpose::TwoFactor.name()))
        .filter(single_use_tokens::used_at.is_null())
        .filter(single_use_tokens::expires_at.gt(now))
        .filter(single_use_tokens::attempts.lt(most))
        .set(single_use_tokens::attempts.eq(single_use_tokens::attempts + 1))
        .returning(single_use_tokens::account_id)
        .get_result(conn)
        .await
        .optional()
}

/// Deletes what expired more than a day ago.
pub async fn sweep(conn: &mut Conn, now: DateTime<Utc>) -> QueryResult<usize> {
    diesel::sql_query(
        "DELETE FROM single_use_tokens WHERE hash IN (
           SELECT hash FROM single_use_tokens WHERE expires_at < $1
           LIMIT 5000 FOR UPDATE SKIP LOCKED)",
    )
    .bind::<diesel::sql_types::Timestamptz, _>(now - Duration::days(1))
    .execute(conn)
    .await
}

/// Puts new recovery codes in the place of all old ones.
pub async fn replace_recovery_codes(conn: &mut Conn, account: Uuid, hashes: &[Vec<u8>]) -> QueryResult<()> {
    diesel::delete(recovery_codes::table.filter(recovery_codes::account_id.eq(account)))
        .execute(conn)
        .await?;
    let rows: Vec<_> = hashes
        .iter()
        .map(|hash| {
            (
                recovery_codes::account_id.eq(account),
                recovery_codes::hash.eq(hash),
            )
        })
        .collect();
    diesel::insert_into(recovery_codes::table)
        .values(rows)
        .execute(conn)
        .await?;
    Ok(())
}

/// Uses a recovery code up. False when it is unknown or used.
pub async fn use_recovery_code(
    conn: &mut Conn,
    account: Uuid,
    hash: &[u8],
    now: DateTime<Utc>,
) -> QueryResult<bool> {
    let used = diesel::update(recovery_codes::table.find((account, hash)))
        .filter(recovery_codes::used_at.is_null())
        .set(recovery_codes::used_at.eq(now))
        .execute(conn)
        .await?;
    Ok(used == 1)
}
