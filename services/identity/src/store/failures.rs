//! Failed sign-ins.

use chrono::{DateTime, Duration, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use parlour_db::Conn;
use uuid::Uuid;

use crate::schema::sign_in_failures;

/// Failures within this time count together.
pub const WINDOW: Duration = Duration::minutes(15);

/// How the sign-ins of one account have gone lately.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Standing {
    /// Until when the asking address is locked out.
    pub locked_until: Option<DateTime<Utc>>,
    /// Failures from all addresses.
    pub from_everywhere: i32,
}

/// The standing of an account for an address. `everywhere` is the key of the row that counts all addresses.
pub async fn standing(
    conn: &mut Conn,
    account: Uuid,
    address: &[u8],
    everywhere: &[u8],
    now: DateTime<Utc>,
) -> QueryResult<Standing> {
    let rows: Vec<(Vec<u8>, i32, Option<DateTime<Utc>>)> = sign_in_failures::table
        .filter(sign_in_failures::account_id.eq(account))
        .filter(sign_in_failures::address_index.eq_any([address, everywhere]))
        .filter(sign_in_failures::first_at.gt(now - WINDOW * 2))
        .select((
            sign_in_failures::address_index,
            sign_in_failures::failures,
            sign_in_failures::locked_until,
        ))
        .load(conn)
        .await?;
    let mut standing = Standing::default();
    for (index, failures, locked_until) in rows {
        if index == everywhere {
            standing.from_everywhere = failures;
        } else {
            standing.locked_until = locked_until.filter(|until| *until > now);
        }
    }
    Ok(standing)
}

/// Counts a failure under `address`; locks it out when `limit` is reached. Answers the count.
pub async fn add(
    conn: &mut Conn,
    account: Uuid,
    address: &[u8],
    limit: Option<i32>,
    now: DateTime<Utc>,
) -> QueryResult<i32> {
    let (failures,): (i32,) = diesel::insert_into(sign_in_failures::table)
        .values((
            sign_in_failures::account_id.eq(account),
            sign_in_failures::address_index.eq(address),
            sign_in_failures::failures.eq(1),
            sign_in_failures::first_at.eq(now),
        ))
        .on_conflict((sign_in_failures::account_id, sign_in_failures::address_index))
        .do_update()
        .set((
            sign_in_failures::failures.eq(diesel::dsl::case_when(
                sign_in_failures::first_at.lt(now - WINDOW),
                1.into_sql::<diesel::sql_types::Integer>(),
            )
            .otherwise(sign_in_failures::failures + 1)),
            sign_in_failures::first_at.eq(diesel::dsl::case_when(
                sign_in_failures::first_at.lt(now - WINDOW),
                now.into_sql::<diesel::sql_types::Timestamptz>(),
            )
            .otherwise(sign_in_failures::first_at)),
        ))
        .returning((sign_in_failures::failures,))
        .get_result(conn)
        .await?;
    if limit.is_some_and(|limit| failures >= limit) {
        diesel::update(sign_in_failures::table.find((account, address)))
            .set(sign_in_failures::locked_until.eq(now + WINDOW))
            .execute(conn)
            .await?;
    }
    Ok(failures)
}

/// Forgets the failures of an address: it has signed in.
pub async fn clear(conn: &mut Conn, account: Uuid, address: &[u8]) -> QueryResult<()> {
    diesel::delete(sign_in_failures::table.find((account, address)))
        .execute(conn)
        .await?;
    Ok(())
}

/// Deletes what no longer counts.
pub async fn sweep(conn: &mut Conn, now: DateTime<Utc>) -> QueryResult<usize> {
    diesel::delete(sign_in_failures::table.filter(sign_in_failures::first_at.lt(now - WINDOW * 2)))
        .execute(conn)
        .await
}
