//! Orders: rows, who may see them, and how they are locked.

use chrono::{DateTime, Utc};
use diesel::QueryableByName;
use diesel::result::QueryResult;
use diesel::sql_types::{
    Array, BigInt, Binary, Bool, Integer, Nullable, SmallInt, Text, Timestamptz, Uuid as SqlUuid,
};
use diesel_async::RunQueryDsl as _;
use parlour_db::{Caller, Conn, DbError, caller};
use uuid::Uuid;

use super::statement::Statement;
use crate::domain::number;
use crate::domain::order::Status;
use crate::domain::payment::{Account, PaymentStatus};
use crate::viewer::Viewer;
use parlour_contracts::names::UnknownName;

/// An order with what belongs to it: its service, and the names of people.
#[derive(Clone, Debug, QueryableByName)]
#[expect(missing_docs, reason = "the migration documents the columns")]
pub struct Order {
    #[diesel(sql_type = SqlUuid)]
    pub id: Uuid,
    #[diesel(sql_type = BigInt)]
    pub number: i64,
    #[diesel(sql_type = SqlUuid)]
    pub service_id: Uuid,
    #[diesel(sql_type = Text)]
    pub kind: String,
    #[diesel(sql_type = Text)]
    pub service_name: String,
    #[diesel(sql_type = Text)]
    pub delivery_mode: String,
    #[diesel(sql_type = Nullable<Integer>)]
    pub assignment_minutes: Option<i32>,
    #[diesel(sql_type = Nullable<Integer>)]
    pub result_minutes: Option<i32>,
    #[diesel(sql_type = Nullable<Integer>)]
    pub review_minutes: Option<i32>,
    #[diesel(sql_type = SqlUuid)]
    pub client_id: Uuid,
    #[diesel(sql_type = Nullable<Text>)]
    pub client_name: Option<String>,
    #[diesel(sql_type = Nullable<SqlUuid>)]
    pub reader_id: Option<Uuid>,
    #[diesel(sql_type = Nullable<Text>)]
    pub reader_name: Option<String>,
    #[diesel(sql_type = Nullable<SqlUuid>)]
    pub preferred_reader_id: Option<Uuid>,
    #[diesel(sql_type = Text)]
    status: String,
    #[diesel(sql_type = Text)]
    payment_status: String,
    #[diesel(sql_type = Nullable<SqlUuid>)]
    pub payment_id: Option<Uuid>,
    #[diesel(sql_type = BigInt)]
    pub paid: i64,
    #[diesel(sql_type = BigInt)]
    pub price: i64,
    #[diesel(sql_type = Text)]
    pub currency: String,
    #[diesel(sql_type = Bool)]
    pub requires_payment: bool,
    #[diesel(sql_type = Nullable<Binary>)]
    pub notes_sealed: Option<Vec<u8>>,
    #[diesel(sql_type = Integer)]
    pub revision: i32,
    #[diesel(sql_type = Timestamptz)]
    pub waits_since: DateTime<Utc>,
    #[diesel(sql_type = Nullable<SmallInt>)]
    pub rating: Option<i16>,
    #[diesel(sql_type = Nullable<Binary>)]
    pub comment_sealed: Option<Vec<u8>>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    pub rated_at: Option<DateTime<Utc>>,
    #[diesel(sql_type = BigInt)]
    pub version: i64,
    #[diesel(sql_type = Timestamptz)]
    pub created_at: DateTime<Utc>,
    #[diesel(sql_type = Timestamptz)]
    pub updated_at: DateTime<Utc>,
}

/// The columns of [`Order`], of `o`, `s`, `c` and `r`.
macro_rules! columns {
    () => {
        "o.id, o.number, o.service_id, s.kind, s.name AS service_name, s.delivery_mode, \
         s.assignment_minutes, s.result_minutes, s.review_minutes, o.client_id, \
         c.display_name AS client_name, o.reader_id, r.display_name AS reader_name, \
         o.preferred_reader_id, o.status, o.payment_status, o.payment_id, o.paid, o.price, \
         o.currency, o.requires_payment, o.notes_sealed, o.revision, o.waits_since, o.rating, \
         o.comment_sealed, o.rated_at, o.version, o.created_at, o.updated_at"
    };
}
/// What has the columns of [`Order`], once there is an `o`.
macro_rules! joined {
    () => {
        " o JOIN services s ON s.id = o.service_id LEFT JOIN people c ON c.id = o.client_id \
         LEFT JOIN people r ON r.id = o.reader_id"
    };
}
pub(super) use {columns, joined};

impl Order {
    /// Where it is.
    pub fn status(&self) -> Result<Status, UnknownName> {
        self.status.parse()
    }

    /// The name of where it is.
    pub fn status_name(&self) -> &str {
        &self.status
    }

    /// The name of where its money is.
    pub fn payment_name(&self) -> &str {
        &self.payment_status
    }

    /// Where its money is.
    pub fn payment(&self) -> Result<PaymentStatus, UnknownName> {
        self.payment_status.parse()
    }

    /// Its money.
    pub fn account(&self) -> Result<Account, UnknownName> {
        Ok(Account {
            status: self.payment()?,
            payment: self.payment_id,
            paid: self.paid,
            price: self.price,
            currency: self.currency.clone(),
        })
    }

    /// Says where its money is now.
    pub fn set_account(&mut self, account: &Account) {
        account.status.name().clone_into(&mut self.payment_status);
        self.payment_id = account.payment;
        self.paid = account.paid;
    }

    /// Says where it is now.
    pub fn set_status(&mut self, status: Status) {
        status.name().clone_into(&mut self.status);
    }

    /// Whether it is the client's turn to pay before anybody is assigned.
    pub fn waits_for_payment(&self) -> bool {
        self.requires_payment && !self.payment().is_ok_and(PaymentStatus::is_secured)
    }

    /// What people call it.
    pub fn shown_number(&self) -> String {
        number::shown(self.number)
    }

    /// Where its sealed notes belong.
    pub fn notes_place(id: Uuid) -> String {
        format!("orders.notes:{id}")
    }

    /// Where the client's sealed comment belongs.
    pub fn comment_place(id: Uuid) -> String {
        format!("orders.comment:{id}")
    }
}

/// An order, and the files of its result.
#[derive(Debug, QueryableByName)]
#[expect(missing_docs, reason = "the migration documents the columns")]
pub struct WithFiles {
    #[diesel(embed)]
    pub order: Order,
    #[diesel(sql_type = Array<SqlUuid>)]
    pub media_ids: Vec<Uuid>,
}

/// The order with the files of its result, if the caller may know of it. In one statement, so that the
/// files are those of the order's version.
pub async fn find(mut conn: &Conn, caller: &Caller, id: Uuid, viewer: &Viewer) -> QueryResult<WithFiles> {
    let statement = Statement::new(concat!(
        "SELECT ",
        columns!(),
        ", coalesce(t.media_ids, '{}') AS media_ids FROM orders",
        joined!(),
        " LEFT JOIN results t ON t.order_id = o.id WHERE ",
        caller!(),
        " AND o.id = ? AND "
    ));
    let statement = seen_by(statement.for_caller(caller).with(id), viewer);
    statement.get_result(&mut conn).await
}

/// The order, locked, for the platform itself; `None` when there is none.
pub async fn lock_any(conn: &mut Conn, id: Uuid) -> Result<Option<Order>, DbError> {
    let statement = Statement::new(concat!(
        "WITH o AS MATERIALIZED (SELECT * FROM orders WHERE id = ? FOR UPDATE)
         SELECT ",
        columns!(),
        " FROM",
        joined!()
    ));
    first(conn, statement.with(id)).await
}

/// Adds whether the caller may know of `orders` row `o`: everybody of their own, staff of
/// all, a country's admin of those whose clients are in it. It is text and not values, so
/// that each of the three is planned once and for all.
pub(super) fn seen_by<'v>(statement: Statement<'v>, viewer: &'v Viewer) -> Statement<'v> {
    if !viewer.sees_all() {
        return statement
            .and("(o.client_id = ? OR o.reader_id = ?)")
            .with(viewer.id)
            .with(viewer.id);
    }
    let Some(country) = viewer.country() else {
        return statement.and("true");
    };
    statement
        .and(
            "(o.client_id = ? OR o.reader_id = ? \
             OR ? = (SELECT p.country FROM people p WHERE p.id = o.client_id))",
        )
        .with(viewer.id)
        .with(viewer.id)
        .with(country)
}

async fn first(conn: &mut Conn, statement: Statement<'_>) -> Result<Option<Order>, DbError> {
    use diesel::OptionalExtension as _;
    Ok(statement.get_result(conn).await.optional()?)
}
