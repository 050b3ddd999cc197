//! Forgetting a person.

use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use parlour_db::Conn;
use uuid::Uuid;

use crate::schema::{
    accounts, api_tokens, outside_identities, phone_verifications, profiles, recovery_codes, sessions,
    single_use_tokens,
};

/// Erases everything about a person; their dependants' rows go with it. The row
/// itself stays as a tombstone without a single personal field. False when it was erased before.
pub async fn erase(conn: &mut Conn, id: Uuid) -> QueryResult<bool> {
    let erased = diesel::update(accounts::table.find(id))
        .filter(accounts::status.ne("deleted"))
        .set((
            (
                accounts::status.eq("deleted"),
                accounts::username.eq(None::<String>),
                accounts::username_key.eq(None::<String>),
                accounts::email_sealed.eq(None::<Vec<u8>>),
                accounts::email_index.eq(None::<Vec<u8>>),
                accounts::email_verified.eq(false),
                accounts::phone_sealed.eq(None::<Vec<u8>>),
                accounts::phone_index.eq(None::<Vec<u8>>),
                accounts::phone_verified.eq(false),
            ),
            (
                accounts::password_hash.eq(None::<String>),
                accounts::two_factor_sealed.eq(None::<Vec<u8>>),
                accounts::two_factor_enabled.eq(false),
                accounts::requested_role.eq(None::<String>),
                accounts::country_scope.eq(None::<String>),
            ),
        ))
        .execute(conn)
        .await?;
    diesel::delete(profiles::table.find(id)).execute(conn).await?;
    diesel::delete(sessions::table.filter(sessions::account_id.eq(id)))
        .execute(conn)
        .await?;
    diesel::delete(api_tokens::table.filter(api_tokens::account_id.eq(id)))
        .execute(conn)
        .await?;
    diesel::delete(single_use_tokens::table.filter(single_use_tokens::account_id.eq(id)))
        .execute(conn)
        .await?;
    diesel::delete(recovery_codes::table.filter(recovery_codes::account_id.eq(id)))
        .execute(conn)
        .await?;
    diesel::delete(outside_identities::table.filter(outside_identities::account_id.eq(id)))
        .execute(conn)
        .await?;
    diesel::delete(phone_verifications::table.find(id))
        .execute(conn)
        .await?;
    Ok(erased == 1)
}
