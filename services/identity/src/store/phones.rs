//! Phone numbers, and verifications under way.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use parlour_db::Conn;
use uuid::Uuid;

use crate::schema::{accounts, phone_verifications};

/// A row.
#[derive(Clone, Debug, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = phone_verifications)]
#[diesel(treat_none_as_null = true)]
#[expect(missing_docs, reason = "the migration documents the columns")]
pub struct Verification {
    pub account_id: Uuid,
    pub phone_sealed: Vec<u8>,
    pub code_hash: Option<Vec<u8>>,
    pub attempts: i32,
    pub expires_at: DateTime<Utc>,
}

impl Verification {
    /// Where its sealed number belongs.
    pub fn phone_place(account: Uuid) -> String {
        format!("phone_verifications.phone:{account}")
    }
}

/// Starts a verification, in the place of one that is under way.
pub async fn start(conn: &mut Conn, verification: &Verification) -> QueryResult<()> {
    diesel::insert_into(phone_verifications::table)
        .values(verification)
        .on_conflict(phone_verifications::account_id)
        .do_update()
        .set(verification)
        .execute(conn)
        .await?;
    Ok(())
}

/// Counts an attempt and answers the verification, unless it is over or had `most` attempts.
pub async fn attempt(
    conn: &mut Conn,
    account: Uuid,
    most: i32,
    now: DateTime<Utc>,
) -> QueryResult<Option<Verification>> {
    diesel::update(phone_verifications::table.find(account))
        .filter(phone_verifications::expires_at.gt(now))
        .filter(phone_verifications::attempts.lt(most))
        .set(phone_verifications::attempts.eq(phone_verifications::attempts + 1))
        .returning(Verification::as_returning())
        .get_result(conn)
        .await
        .optional()
}

/// Ends a verification.
pub async fn finish(conn: &mut Conn, account: Uuid) -> QueryResult<()> {
    diesel::delete(phone_verifications::table.find(account))
        .execute(conn)
        .await?;
    Ok(())
}

/// Sets the phone number and whether it was proved to be theirs.
pub async fn set_phone(
    conn: &mut Conn,
    id: Uuid,
    sealed: &[u8],
    index: &[u8],
    verified: bool,
) -> QueryResult<()> {
    diesel::update(accounts::table.find(id))
        .set((
            accounts::phone_sealed.eq(sealed),
            accounts::phone_index.eq(index),
            accounts::phone_verified.eq(verified),
        ))
        .execute(conn)
        .await?;
    Ok(())
}

/// Takes the phone number away.
pub async fn clear_phone(conn: &mut Conn, id: Uuid) -> QueryResult<()> {
    diesel::update(accounts::table.find(id))
        .set((
            accounts::phone_sealed.eq(None::<Vec<u8>>),
            accounts::phone_index.eq(None::<Vec<u8>>),
            accounts::phone_verified.eq(false),
        ))
        .execute(conn)
        .await?;
    Ok(())
}
