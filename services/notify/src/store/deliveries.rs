//! The ways of notifications to addresses: making rows and reading them.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Bool, Integer, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use parlour_db::Conn;
use uuid::Uuid;

use crate::domain::{Channel, Priority};
use crate::schema::{deliveries, notifications, people};

statement! {
    /// New deliveries of notifications that are new.
    Insert {
        id: each SqlUuid => Uuid,
        notification_id: each SqlUuid => Uuid,
        account_id: each SqlUuid => Uuid,
        channel: each Text => &'static str,
        target: each SqlUuid => Uuid,
        status: each Text => &'static str,
        chosen: each Text => &'static str,
        reason: each Nullable<Text> => Option<&'static str>,
        attempts: each Integer => i32,
        not_before: each Timestamptz => DateTime<Utc>,
        digest_id: each Nullable<SqlUuid> => Option<Uuid>,
        kind: each Text => String,
        priority: each Text => &'static str,
        round: each Integer => i32,
        created_at: one Timestamptz => DateTime<Utc>,
        expires_at: each Nullable<Timestamptz> => Option<DateTime<Utc>>,
    }
    "INSERT INTO deliveries (id, notification_id, account_id, kind, priority, channel, target, round,
       status, chosen, reason, attempts, not_before, digest_id, queued_at, created_at, expires_at)
     SELECT id, notification_id, account_id, kind, priority, channel, target, round,
       status, chosen, reason, attempts, not_before, digest_id, created_at, created_at, expires_at FROM given"
}

/// Inserts them.
pub(crate) async fn insert(mut conn: &Conn, rows: Insert) -> QueryResult<()> {
    if !rows.id.is_empty() {
        rows.execute(&mut conn).await?;
    }
    Ok(())
}

/// A requested mail: about an account, without a notification.
#[derive(Insertable)]
#[diesel(table_name = deliveries)]
#[expect(missing_docs, reason = "the migration documents the columns")]
pub struct NewMail {
    pub id: Uuid,
    pub account_id: Uuid,
    pub kind: String,
    pub priority: &'static str,
    pub channel: &'static str,
    pub target: Uuid,
    pub round: i32,
    pub status: &'static str,
    pub chosen: &'static str,
    pub attempts: i32,
    pub not_before: DateTime<Utc>,
    pub mail_sealed: Vec<u8>,
    pub queued_at: DateTime<Utc>,
    pub created_at: DateTime<Utc>,
    pub expires_at: Option<DateTime<Utc>>,
}

impl NewMail {
    /// One to be sent at once.
    pub fn new(id: Uuid, account_id: Uuid, kind: &str, mail_sealed: Vec<u8>, now: DateTime<Utc>) -> Self {
        Self {
            id,
            account_id,
            kind: kind.to_owned(),
            priority: Priority::High.name(),
            channel: Channel::Email.name(),
            target: Uuid::nil(),
            round: 0,
            status: "queued",
            chosen: crate::domain::reason::Chosen::Mail.name(),
            attempts: 0,
            not_before: now,
            mail_sealed,
            queued_at: now,
            created_at: now,
            expires_at: None,
        }
    }

    /// Where the sealed address and data of a mail belong.
    pub fn place(id: Uuid) -> String {
        format!("deliveries.mail:{id}")
    }
}

/// Inserts a requested mail; one that is there stays.
pub async fn insert_mail(conn: &mut Conn, mail: &NewMail) -> QueryResult<()> {
    diesel::insert_into(deliveries::table)
        .values(mail)
        .on_conflict(deliveries::id)
        .do_nothing()
        .execute(conn)
        .await?;
    Ok(())
}

/// A delivery as operators see it.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = deliveries)]
#[expect(missing_docs, reason = "the migration documents the columns")]
pub struct Delivery {
    pub id: Uuid,
    pub notification_id: Option<Uuid>,
    pub account_id: Uuid,
    pub kind: String,
    pub channel: String,
    pub round: i32,
    pub status: String,
    pub chosen: String,
    pub reason: Option<String>,
    pub attempts: i32,
    pub not_before: DateTime<Utc>,
    pub digest_id: Option<Uuid>,
    pub provider: Option<String>,
    pub provider_id: Option<String>,
    pub error: Option<String>,
    pub created_at: DateTime<Utc>,
    pub sent_at: Option<DateTime<Utc>>,
    pub delivered_at: Option<DateTime<Utc>>,
}

/// The deliveries of a notification and the channels it left out, the oldest first; `None`
/// when there is no such notification, or its owner is not in `country`.
pub async fn of_notification(
    conn: &mut Conn,
    id: Uuid,
    country: Option<&str>,
) -> QueryResult<Option<(serde_json::Value, Vec<Delivery>)>> {
    let found: Option<(serde_json::Value, Option<String>)> = notifications::table
        .left_join(people::table.on(people::id.eq(notifications::account_id)))
        .filter(notifications::id.eq(id))
        .select((notifications::skipped, people::country.nullable()))
        .first(conn)
        .await
        .optional()?;
    let Some((skipped, lives_in)) = found else {
        return Ok(None);
    };
    if country.is_some() && country != lives_in.as_deref() {
        return Ok(None);
    }
    let rows = deliveries::table
        .filter(deliveries::notification_id.eq(id))
        .order((deliveries::round, deliveries::channel, deliveries::id))
        .limit(1000)
        .select(Delivery::as_select())
        .load(conn)
        .await?;
    Ok(Some((skipped, rows)))
}

/// Deliveries that were given up, the newest first.
pub async fn failed(conn: &mut Conn, channel: Option<Channel>, limit: i64) -> QueryResult<Vec<Delivery>> {
    let mut query = deliveries::table.into_boxed().filter(failed_status());
    if let Some(channel) = channel {
        query = query.filter(deliveries::channel.eq(channel.name()));
    }
    query
        .order((deliveries::created_at.desc(), deliveries::id.desc()))
        .limit(limit)
        .select(Delivery::as_select())
        .load(conn)
        .await
}

/// Has given-up deliveries tried again from the start; answers how many there were. A
/// notification that has expired meanwhile is skipped when its turn comes.
pub async fn redrive(conn: &mut Conn, ids: &[Uuid], now: DateTime<Utc>) -> QueryResult<usize> {
    diesel::update(deliveries::table)
        .filter(deliveries::id.eq_any(ids).or(deliveries::digest_id.eq_any(ids)))
        .filter(failed_status())
        .set((
            deliveries::status.eq("queued"),
            deliveries::reason.eq(None::<String>),
            // A digest that was tried is not open any more: it must not count as untried.
            deliveries::attempts.eq(diesel::dsl::sql::<Integer>("(digest_id IS NOT NULL)::int")),
            deliveries::not_before.eq(now),
            deliveries::queued_at.eq(now),
        ))
        .execute(conn)
        .await
}

/// As a literal: with a parameter the planner cannot know that the partial index fits.
fn failed_status() -> diesel::expression::SqlLiteral<Bool> {
    diesel::dsl::sql("deliveries.status = 'failed'")
}
