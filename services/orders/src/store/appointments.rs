//! Appointments.

use chrono::{DateTime, Utc};
use diesel::QueryableByName;
use diesel::prelude::*;
use diesel::sql_types::{Binary, Bool, Integer, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use parlour_db::{Conn, DbError};
use uuid::Uuid;

use super::statement::Statement;
use crate::domain::appointment::{Phase, Status};
use crate::domain::hours::Span;
use crate::schema::appointments;
use parlour_contracts::names::UnknownName;

/// An appointment with the names of both.
#[derive(Clone, Debug, QueryableByName)]
#[expect(missing_docs, reason = "the migration documents the columns")]
pub struct Appointment {
    #[diesel(sql_type = SqlUuid)]
    pub id: Uuid,
    #[diesel(sql_type = SqlUuid)]
    pub client_id: Uuid,
    #[diesel(sql_type = Nullable<Text>)]
    pub client_name: Option<String>,
    #[diesel(sql_type = SqlUuid)]
    pub counselor_id: Uuid,
    #[diesel(sql_type = Nullable<Text>)]
    pub counselor_name: Option<String>,
    #[diesel(sql_type = Text)]
    status: String,
    #[diesel(sql_type = Timestamptz)]
    pub starts_at: DateTime<Utc>,
    #[diesel(sql_type = Timestamptz)]
    pub ends_at: DateTime<Utc>,
    #[diesel(sql_type = Nullable<Binary>)]
    pub subject_sealed: Option<Vec<u8>>,
    #[diesel(sql_type = Nullable<Integer>)]
    pub reminded: Option<i32>,
}

/// The columns of [`Appointment`], of `a`, `c` and `r`.
macro_rules! columns {
    () => {
        "a.id, a.client_id, c.display_name AS client_name, a.counselor_id, r.display_name AS counselor_name, \
         a.status, a.starts_at, a.ends_at, a.subject_sealed, a.reminded"
    };
}
/// What has them, once there is an `a`.
macro_rules! joined {
    () => {
        " a LEFT JOIN people c ON c.id = a.client_id LEFT JOIN people r ON r.id = a.counselor_id"
    };
}

pub(super) use {columns, joined};

impl Appointment {
    /// Where it is.
    pub fn status(&self) -> Result<Status, UnknownName> {
        self.status.parse()
    }

    /// The name of where it is.
    pub fn status_name(&self) -> &str {
        &self.status
    }

    /// Says where it is now.
    pub fn set_status(&mut self, status: Status) {
        status.name().clone_into(&mut self.status);
    }

    /// How much of it has passed at `now`.
    pub fn phase(&self, now: DateTime<Utc>) -> Phase {
        if now < self.starts_at {
            Phase::Ahead
        } else if now < self.ends_at {
            Phase::Running
        } else {
            Phase::Over
        }
    }

    /// How long it takes.
    pub fn minutes(&self) -> i32 {
        i32::try_from((self.ends_at - self.starts_at).num_minutes()).unwrap_or(i32::MAX)
    }

    /// Where its sealed title and description belong.
    pub fn subject_place(id: Uuid) -> String {
        format!("appointments.subject:{id}")
    }

    /// Where the sealed reason of its cancellation belongs.
    pub fn reason_place(id: Uuid) -> String {
        format!("appointments.reason:{id}")
    }
}

/// A new appointment.
#[derive(Debug)]
#[expect(missing_docs, reason = "the migration documents the columns")]
pub struct NewAppointment<'a> {
    pub id: Uuid,
    pub client_id: Uuid,
    pub counselor_id: Uuid,
    pub span: Span,
    pub subject_sealed: &'a [u8],
    pub now: DateTime<Utc>,
}

/// Books. `None` when one of the two is taken for a part of the time: the constraints
/// decide, and of those who come at once one wins without anybody waiting for a deadlock.
pub async fn insert(conn: &mut Conn, new: &NewAppointment<'_>) -> Result<Option<Appointment>, DbError> {
    let statement = Statement::new(concat!(
        "WITH a AS (
           INSERT INTO appointments
             (id, client_id, counselor_id, status, starts_at, ends_at, subject_sealed, created_at, updated_at)
           VALUES (?, ?, ?, 'pending', ?, ?, ?, ?, ?)
           ON CONFLICT DO NOTHING RETURNING *)
         SELECT ",
        columns!(),
        " FROM",
        joined!()
    ))
    .with(new.id)
    .with(new.client_id)
    .with(new.counselor_id)
    .with(new.span.start)
    .with(new.span.end)
    .with(Some(new.subject_sealed))
    .with(new.now)
    .with(new.now);
    Ok(statement.get_result(conn).await.optional()?)
}

/// When a counsellor is taken within `range`.
pub async fn busy(conn: &mut Conn, counselor: Uuid, range: Span) -> QueryResult<Vec<Span>> {
    let found: Vec<(DateTime<Utc>, DateTime<Utc>)> = appointments::table
        .filter(appointments::counselor_id.eq(counselor))
        .filter(appointments::status.eq_any(["pending", "confirmed"]))
        .filter(appointments::starts_at.lt(range.end))
        .filter(appointments::ends_at.gt(range.start))
        .select((appointments::starts_at, appointments::ends_at))
        .order(appointments::starts_at)
        .load(conn)
        .await?;
    Ok(found
        .into_iter()
        .map(|(start, end)| Span { start, end })
        .collect())
}

/// The appointment, locked until the transaction ends, if the caller takes part in it or sees all.
pub async fn lock(conn: &mut Conn, id: Uuid, person: Uuid, sees_all: bool) -> Result<Appointment, DbError> {
    let statement = Statement::new(concat!(
        "WITH a AS MATERIALIZED (
           SELECT * FROM appointments
           WHERE id = ? AND (? OR client_id = ? OR counselor_id = ?) FOR UPDATE)
         SELECT ",
        columns!(),
        " FROM",
        joined!()
    ));
    let statement = statement.with(id).with(sees_all).with(person).with(person);
    Ok(statement.get_result(conn).await?)
}

/// What an appointment becomes.
#[derive(Debug)]
pub struct Change<'c> {
    /// Where it is now.
    pub status: Status,
    /// Why, sealed.
    pub reason_sealed: Option<&'c [u8]>,
    /// The last reminder that was told or came too late.
    pub reminded: Option<i32>,
    /// When.
    pub now: DateTime<Utc>,
}

/// Writes it. The row is locked by then.
pub async fn set(conn: &mut Conn, id: Uuid, change: &Change<'_>) -> QueryResult<()> {
    diesel::update(appointments::table.find(id))
        .set((
            appointments::status.eq(change.status.name()),
            appointments::reason_sealed.eq(change.reason_sealed),
            appointments::reminded.eq(change.reminded),
            appointments::updated_at.eq(change.now),
        ))
        .execute(conn)
        .await?;
    Ok(())
}

#[derive(QueryableByName)]
struct Busy {
    #[diesel(sql_type = Bool)]
    busy: bool,
}

/// Whether it is for the client's own sake that `span` cannot be booked: they have
/// something with somebody else then. What the counsellor has, the client does not see.
pub async fn client_is_busy(conn: &mut Conn, client: Uuid, counselor: Uuid, span: Span) -> QueryResult<bool> {
    let found: Busy = Statement::new(
        "SELECT EXISTS (SELECT FROM appointments WHERE client_id = ? AND counselor_id <> ?
           AND status IN ('pending', 'confirmed') AND tstzrange(starts_at, ends_at) && tstzrange(?, ?)) AS busy",
    )
    .with(client)
    .with(counselor)
    .with(span.start)
    .with(span.end)
    .get_result(conn)
    .await?;
    Ok(found.busy)
}
