//! What came of deliveries.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Bool, Text, Timestamptz, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use parlour_db::Conn;
use uuid::Uuid;

use crate::channels::{Class, Sent};
use crate::domain::reason::Reason;
use crate::schema::deliveries;

/// The row itself, and those whose digest it is.
macro_rules! row {
    ($id:expr) => {
        diesel::update(deliveries::table)
            .filter(deliveries::id.eq($id).or(deliveries::digest_id.eq($id)))
            .filter(deliveries::status.eq_any(["queued", "sending"]))
    };
}

/// A provider took it. The secrets of a requested mail are forgotten.
pub async fn sent(conn: &mut Conn, id: Uuid, by: &Sent, now: DateTime<Utc>) -> QueryResult<()> {
    row!(id)
        .set((
            deliveries::status.eq("sent"),
            deliveries::reason.eq(None::<String>),
            deliveries::sent_at.eq(now),
            deliveries::provider.eq(&by.provider),
            deliveries::provider_id.eq(&by.provider_id),
            deliveries::error.eq(None::<String>),
            deliveries::mail_sealed.eq(None::<Vec<u8>>),
        ))
        .execute(conn)
        .await?;
    Ok(())
}

statement! {
    /// Many pushes to sockets at once: they need no word of a provider.
    Pushed {
        id: each SqlUuid => Uuid,
        now: one Timestamptz => DateTime<Utc>,
    }
    "UPDATE deliveries d SET status = 'sent', sent_at = g.now, reason = NULL
     FROM given g WHERE d.id = g.id AND d.status IN ('queued', 'sending')"
}

/// These were handed to the sockets.
pub async fn pushed(conn: &mut Conn, ids: Vec<Uuid>, now: DateTime<Utc>) -> QueryResult<()> {
    Pushed { id: ids, now }.execute(conn).await?;
    Ok(())
}

/// It is tried again then, after an attempt that failed with these words.
pub async fn retry(
    conn: &mut Conn,
    id: Uuid,
    at: DateTime<Utc>,
    provider: &str,
    words: &str,
) -> QueryResult<()> {
    diesel::update(deliveries::table.find(id))
        .filter(deliveries::status.eq("sending"))
        .set((
            deliveries::status.eq("queued"),
            deliveries::reason.eq(Reason::Retry.name()),
            deliveries::not_before.eq(at),
            deliveries::provider.eq(some(provider)),
            deliveries::error.eq(some(words)),
        ))
        .execute(conn)
        .await?;
    Ok(())
}

/// It is given up: `class` says what kind of refusal it was.
pub async fn failed(
    conn: &mut Conn,
    id: Uuid,
    class: &str,
    provider: &str,
    words: &str,
) -> QueryResult<usize> {
    row!(id)
        .set((
            deliveries::status.eq("failed"),
            deliveries::reason.eq(class),
            deliveries::provider.eq(some(provider)),
            deliveries::error.eq(some(words)),
        ))
        .execute(conn)
        .await
}

/// It is not sent after all.
pub async fn skipped(conn: &mut Conn, id: Uuid, reason: Reason) -> QueryResult<()> {
    row!(id)
        .set((
            deliveries::status.eq("skipped"),
            deliveries::reason.eq(reason.name()),
            deliveries::mail_sealed.eq(None::<Vec<u8>>),
        ))
        .execute(conn)
        .await?;
    Ok(())
}

/// Everything that waits for a person is skipped, but for what is `required` of the platform.
pub async fn skip_all(conn: &mut Conn, account: Uuid, reason: Reason) -> QueryResult<usize> {
    use crate::domain::reason::Chosen;
    diesel::update(deliveries::table)
        .filter(deliveries::account_id.eq(account))
        .filter(diesel::dsl::sql::<Bool>("deliveries.status = 'queued'"))
        .filter(deliveries::chosen.ne_all([Chosen::Required.name(), Chosen::Mail.name()]))
        .set((
            deliveries::status.eq("skipped"),
            deliveries::reason.eq(reason.name()),
        ))
        .execute(conn)
        .await
}

statement! {
    Reported {
        id: one SqlUuid => Uuid,
        provider_id: one Text => String,
        status: one Text => &'static str,
        class: one diesel::sql_types::Nullable<Text> => Option<&'static str>,
        words: one diesel::sql_types::Nullable<Text> => Option<String>,
        now: one Timestamptz => DateTime<Utc>,
    }
    "UPDATE deliveries d SET status = g.status, provider_id = g.provider_id,
       error = coalesce(g.words, d.error), reason = coalesce(g.class, d.reason),
       sent_at = coalesce(d.sent_at, g.now),
       delivered_at = CASE g.status WHEN 'delivered' THEN g.now END
     FROM given g WHERE (d.id = g.id OR d.digest_id = g.id) AND d.status IN ('sending', 'sent')"
}

/// What a provider reports later of a message that it took.
pub struct Report {
    /// The delivery that it was sent for.
    pub delivery_id: Uuid,
    /// The provider's id of the message.
    pub provider_id: String,
    /// Why it failed, and the provider's words; `None` when it arrived.
    pub failure: Option<(Class, String)>,
}

/// Writes a provider's report. It may come before the outcome of the sending itself is
/// written, which then changes nothing any more. Answers whether it was news.
pub async fn reported(conn: &mut Conn, report: Report, now: DateTime<Utc>) -> QueryResult<bool> {
    let (class, words) = report.failure.unzip();
    let reported = Reported {
        id: report.delivery_id,
        provider_id: report.provider_id,
        status: if class.is_some() { "failed" } else { "delivered" },
        class: class.map(Class::name),
        words,
        now,
    };
    Ok(reported.execute(conn).await? > 0)
}

fn some(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| text.chars().take(500).collect())
}
