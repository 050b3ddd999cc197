//! The directory, as senders ask it.

use std::collections::HashSet;

use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use parlour_db::Conn;
use uuid::Uuid;

use crate::schema::people;

/// Those of `ids` who have an account, in `country` if one is given.
pub async fn known(conn: &mut Conn, ids: &[Uuid], country: Option<&str>) -> QueryResult<HashSet<Uuid>> {
    let mut query = people::table
        .into_boxed()
        .filter(people::id.eq_any(ids))
        .filter(people::status.ne(parlour_directory::DELETED));
    if let Some(country) = country {
        query = query.filter(people::country.eq(country));
    }
    let found: Vec<Uuid> = query.select(people::id).load(conn).await?;
    Ok(found.into_iter().collect())
}
