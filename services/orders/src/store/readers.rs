//! Who can be given an order.

use diesel::QueryableByName;
use diesel::prelude::*;
use diesel::sql_types::{Bool, Text, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use parlour_db::Conn;
use uuid::Uuid;

use super::orders::Order;
use super::statement::Statement;
use crate::schema::blocked_people;

/// Somebody who can be given an order.
#[derive(Clone, Debug, QueryableByName)]
pub struct Candidate {
    /// Their account.
    #[diesel(sql_type = SqlUuid)]
    pub id: Uuid,
    /// What to show of them.
    #[diesel(sql_type = Text)]
    pub display_name: String,
}

/// An active reader whom nobody has blocked, of `people` row `p`.
macro_rules! available {
    () => {
        "'reader' = ANY (p.roles) AND p.status = 'active' \
         AND NOT EXISTS (SELECT FROM blocked_people b WHERE b.id = p.id)"
    };
}

/// The reader, if they are active and nobody has blocked them.
pub async fn available(mut conn: &Conn, id: Uuid) -> QueryResult<Option<Candidate>> {
    let sql = concat!(
        "SELECT p.id, p.display_name FROM people p WHERE p.id = ? AND ",
        available!()
    );
    Statement::new(sql)
        .with(id)
        .get_result(&mut conn)
        .await
        .optional()
}

/// Lets one transaction at a time choose readers, over all replicas: each sees what
/// the one before gave to whom. Take it after the locks on orders, never before.
pub async fn take_turns(conn: &mut Conn) -> QueryResult<()> {
    Statement::new("SELECT pg_advisory_xact_lock(hashtextextended('parlour.orders.assignment', 0))")
        .execute(conn)
        .await?;
    Ok(())
}

/// The reader for an order: the preferred one if available, else of those whose
/// specialities have its kind the one with the fewest open orders, of several the
/// one who has waited longest. Nobody gets their own order.
pub async fn choose(conn: &mut Conn, order: &Order) -> QueryResult<Option<Candidate>> {
    let sql = concat!(
        "SELECT p.id, p.display_name FROM people p LEFT JOIN readers r ON r.id = p.id
         WHERE p.id <> ? AND ? = ANY (p.specialities) AND ",
        available!(),
        " ORDER BY p.id IS NOT DISTINCT FROM ? DESC,
           (SELECT count(*) FROM orders o WHERE o.reader_id = p.id AND o.status IN ('assigned', 'submitted')),
           r.last_assigned_at NULLS FIRST, p.id
         LIMIT 1"
    );
    Statement::new(sql)
        .with(order.client_id)
        .with(order.kind.as_str())
        .with(order.preferred_reader_id)
        .get_result(conn)
        .await
        .optional()
}

/// Notes that moderation blocked somebody, or lifted it.
pub async fn set_blocked(conn: &mut Conn, id: Uuid, blocked: bool) -> QueryResult<()> {
    if blocked {
        diesel::insert_into(blocked_people::table)
            .values(blocked_people::id.eq(id))
            .on_conflict_do_nothing()
            .execute(conn)
            .await?;
    } else {
        diesel::delete(blocked_people::table.find(id))
            .execute(conn)
            .await?;
    }
    Ok(())
}

#[derive(QueryableByName)]
struct Answer {
    #[diesel(sql_type = Bool)]
    is: bool,
}

/// Whether this is somebody who can be asked for: a reader who is not blocked.
pub async fn is_available(mut conn: &Conn, id: Uuid) -> QueryResult<bool> {
    let sql = concat!(
        "SELECT EXISTS (SELECT FROM people p WHERE p.id = ? AND ",
        available!(),
        ") AS is"
    );
    let answer: Answer = Statement::new(sql).with(id).get_result(&mut conn).await?;
    Ok(answer.is)
}
