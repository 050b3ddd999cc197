//! Accounts of trusted outside issuers.

use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use parlour_db::Conn;
use uuid::Uuid;

use crate::schema::outside_identities;

/// The account that an issuer's subject belongs to.
pub async fn find(conn: &mut Conn, issuer: &str, subject: &str) -> QueryResult<Option<Uuid>> {
    outside_identities::table
        .find((issuer, subject))
        .select(outside_identities::account_id)
        .first(conn)
        .await
        .optional()
}

/// Links a subject to an account. False when another request was faster.
pub async fn link(conn: &mut Conn, issuer: &str, subject: &str, account: Uuid) -> QueryResult<bool> {
    let linked = diesel::insert_into(outside_identities::table)
        .values((
            outside_identities::issuer.eq(issuer),
            outside_identities::subject.eq(subject),
            outside_identities::account_id.eq(account),
        ))
        .on_conflict_do_nothing()
        .execute(conn)
        .await?;
    Ok(linked == 1)
}
