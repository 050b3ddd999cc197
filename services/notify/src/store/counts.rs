//! How many notifications a person has, by the counters that the table's triggers keep.

use chrono::{DateTime, Utc};
use diesel::dsl::not;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use futures_util::future::try_join;
use parlour_db::Conn;
use uuid::Uuid;

use super::notifications::Filter;
use crate::schema::{counters, notifications};

/// How many a person has and how many of them are unread, by type and priority. Those
/// that expired since the last sweep are taken off, so that the figures are those of the list.
pub async fn counts(mut conn: &Conn, account: Uuid, now: DateTime<Utc>) -> QueryResult<Vec<Count>> {
    let mut also = conn;
    let counted = counters::table
        .filter(counters::account_id.eq(account))
        .select((
            counters::kind,
            counters::priority,
            counters::total,
            counters::unread,
        ))
        .load(&mut conn);
    let overdue = notifications::table
        .filter(notifications::account_id.eq(account))
        .filter(notifications::expires_at.le(now))
        .filter(notifications::expires_at.is_not_null())
        .filter(notifications::deleted_at.is_null())
        .filter(not(notifications::expired))
        .select((
            notifications::kind,
            notifications::priority,
            notifications::read_at.is_null(),
        ))
        .load(&mut also);
    let (mut counts, overdue): (Vec<Count>, Vec<(String, String, bool)>) = try_join(counted, overdue).await?;
    for (kind, priority, unread) in overdue {
        let same = |c: &&mut Count| c.kind == kind && c.priority == priority;
        if let Some(count) = counts.iter_mut().find(same) {
            count.total -= 1;
            count.unread -= i64::from(unread);
        }
    }
    Ok(counts)
}

/// One line of a person's counters.
#[derive(Clone, Debug, Queryable)]
#[expect(missing_docs, reason = "the migration documents the columns")]
pub struct Count {
    pub kind: String,
    pub priority: String,
    pub total: i64,
    pub unread: i64,
}

impl Filter {
    /// How many notifications the filter leaves, by the counters.
    pub fn total(&self, counts: &[Count]) -> i64 {
        counts
            .iter()
            .filter(|count| self.kind.as_ref().is_none_or(|kind| count.kind == *kind))
            .filter(|count| self.priority.is_none_or(|p| count.priority == p.name()))
            .map(|count| if self.unread { count.unread } else { count.total })
            .sum()
    }
}
