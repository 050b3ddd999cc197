//! Keeping the copy.

use diesel::upsert::excluded;
use diesel::{ExpressionMethods as _, query_dsl::methods::FilterDsl as _};
use diesel_async::RunQueryDsl as _;
use parlour_contracts::identity::v1::{AccountDeleted, ProfileUpdated};
use parlour_db::{Conn, DbError, Tx};
use parlour_events::{Consumer, Failure, Incoming};
use uuid::Uuid;

use crate::Person;
use crate::schema::people;

/// Has `consumer` keep the copy. The service may handle the same events itself as
/// well: its handlers run in the same transaction, in the order of registration.
#[must_use]
pub fn handle(consumer: Consumer) -> Consumer {
    consumer
        .on(async |tx: &mut Tx, event: Incoming<ProfileUpdated>| {
            let person = person(event.data, event.version)?;
            Ok(put(tx, &person).await?)
        })
        .on(async |tx: &mut Tx, event: Incoming<AccountDeleted>| {
            let id = account(&event.data.account_id)?;
            Ok(put(tx, &Person::deleted(id, event.version)).await?)
        })
}

/// Writes what was told, unless something newer is known. The event carries the
/// whole: what it does not name any more is gone.
async fn put(conn: &mut Conn, person: &Person) -> Result<(), DbError> {
    diesel::insert_into(people::table)
        .values(person)
        .on_conflict(people::id)
        .do_update()
        .set(person)
        .filter(people::version.lt(excluded(people::version)))
        .execute(conn)
        .await?;
    Ok(())
}

fn person(told: ProfileUpdated, version: i64) -> Result<Person, Failure> {
    let given = |text: String| Some(text).filter(|text| !text.is_empty());
    Ok(Person {
        id: account(&told.account_id)?,
        username: given(told.username),
        display_name: told.display_name,
        first_name: given(told.first_name),
        last_name: given(told.last_name),
        avatar_url: given(told.avatar_url),
        roles: told.roles,
        country: given(told.country),
        locale: told.locale,
        time_zone: given(told.time_zone),
        specialities: told.specialities,
        status: told.status,
        version,
    })
}

fn account(id: &str) -> Result<Uuid, Failure> {
    Uuid::try_parse(id).map_err(Failure::poison)
}
