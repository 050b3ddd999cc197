//! How an order is placed.

use chrono::{DateTime, Utc};
use diesel::OptionalExtension as _;
use diesel::result::QueryResult;
use diesel_async::RunQueryDsl as _;
use parlour_db::{Caller, Conn, DbError, caller};
use parlour_events::Announced;
use uuid::Uuid;

use super::orders::Order;
use super::statement::Statement;

/// Who orders what.
#[derive(Clone, Copy, Debug)]
#[expect(missing_docs, reason = "the migration documents the columns")]
pub struct NewOrder {
    pub id: Uuid,
    pub service_id: Uuid,
    pub client_id: Uuid,
    pub preferred_reader_id: Option<Uuid>,
    pub now: DateTime<Utc>,
}

/// What `new` is to be: an order for an active service, with its price as it is now and a number of its own, which is
/// taken whether it is placed or not. `None` when there is no such service.
pub async fn offer(mut conn: &Conn, new: &NewOrder) -> QueryResult<Option<Order>> {
    Statement::new(
        "SELECT ?::uuid AS id, nextval('orders_number_seq') AS number, s.id AS service_id, s.kind,
           s.name AS service_name, s.delivery_mode, s.assignment_minutes, s.result_minutes, s.review_minutes,
           n.client_id, c.display_name AS client_name, NULL::uuid AS reader_id, NULL::text AS reader_name,
           ?::uuid AS preferred_reader_id, 'pending' AS status, 'unpaid' AS payment_status,
           NULL::uuid AS payment_id, 0::bigint AS paid, s.price, s.currency, s.requires_payment,
           NULL::bytea AS notes_sealed, 0 AS revision, n.at AS waits_since, NULL::smallint AS rating,
           NULL::bytea AS comment_sealed, NULL::timestamptz AS rated_at, 1::bigint AS version,
           n.at AS created_at, n.at AS updated_at
         FROM services s, (SELECT ?::uuid AS client_id, ?::timestamptz AS at) n
           LEFT JOIN people c ON c.id = n.client_id
         WHERE s.id = ? AND s.active",
    )
    .with(new.id)
    .with(new.preferred_reader_id)
    .with(new.client_id)
    .with(new.now)
    .with(new.service_id)
    .get_result(&mut conn)
    .await
    .optional()
}

/// Places it on behalf of `caller`, and writes `news` of it.
pub async fn place(
    conn: &mut Conn,
    caller: &Caller,
    order: &Order,
    due_at: Option<DateTime<Utc>>,
    news: &Announced,
) -> Result<(), DbError> {
    let statement = Statement::new(concat!(
        "WITH o AS (
           INSERT INTO orders (id, number, service_id, client_id, preferred_reader_id, status, payment_status, price,
               currency, requires_payment, notes_sealed, waits_since, due_at, created_at, updated_at)
           OVERRIDING SYSTEM VALUE
           SELECT ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ? WHERE ",
        caller!(),
        " RETURNING version)
         SELECT version"
    ))
    .with(order.id)
    .with(order.number)
    .with(order.service_id)
    .with(order.client_id)
    .with(order.preferred_reader_id)
    .with(order.status_name())
    .with(order.payment_name())
    .with(order.price)
    .with(order.currency.as_str())
    .with(order.requires_payment)
    .with(order.notes_sealed.as_deref())
    .with(order.waits_since)
    .with(due_at)
    .with(order.created_at)
    .with(order.updated_at)
    .for_caller(caller);
    news.written_by(statement).and(" FROM o").execute(conn).await?;
    Ok(())
}
