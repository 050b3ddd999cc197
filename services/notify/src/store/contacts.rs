//! Where people can be reached. E-mail addresses and phone numbers stay sealed with the
//! contacts key until they are needed.

use diesel::prelude::*;
use diesel::query_dsl::methods::FilterDsl as _;
use diesel::upsert::excluded;
use diesel_async::RunQueryDsl;
use parlour_db::Conn;
use uuid::Uuid;

use crate::schema::contacts;

/// What identity told.
#[derive(Insertable)]
#[diesel(table_name = contacts)]
#[expect(missing_docs, reason = "the migration documents the columns")]
pub struct NewContact {
    pub account_id: Uuid,
    pub email_sealed: Option<Vec<u8>>,
    pub phone_sealed: Option<Vec<u8>>,
    pub email_verified: bool,
    pub phone_verified: bool,
    pub version: i64,
}

/// Writes what was told, unless something newer is known. An address that was dead gets another chance.
pub async fn put(conn: &mut Conn, contact: &NewContact) -> QueryResult<()> {
    diesel::insert_into(contacts::table)
        .values(contact)
        .on_conflict(contacts::account_id)
        .do_update()
        .set((
            contacts::email_sealed.eq(excluded(contacts::email_sealed)),
            contacts::phone_sealed.eq(excluded(contacts::phone_sealed)),
            contacts::email_verified.eq(excluded(contacts::email_verified)),
            contacts::phone_verified.eq(excluded(contacts::phone_verified)),
            contacts::email_dead.eq(false),
            contacts::phone_dead.eq(false),
            contacts::version.eq(excluded(contacts::version)),
        ))
        .filter(contacts::version.lt(excluded(contacts::version)))
        .execute(conn)
        .await?;
    Ok(())
}

/// A provider said that the e-mail address is of no use, if it is still this one.
pub async fn bury_email(conn: &mut Conn, account: Uuid, sealed: &[u8]) -> QueryResult<()> {
    diesel::update(contacts::table.find(account))
        .filter(contacts::email_sealed.eq(sealed))
        .set(contacts::email_dead.eq(true))
        .execute(conn)
        .await?;
    Ok(())
}

/// The same of the phone number.
pub async fn bury_phone(conn: &mut Conn, account: Uuid, sealed: &[u8]) -> QueryResult<()> {
    diesel::update(contacts::table.find(account))
        .filter(contacts::phone_sealed.eq(sealed))
        .set(contacts::phone_dead.eq(true))
        .execute(conn)
        .await?;
    Ok(())
}
