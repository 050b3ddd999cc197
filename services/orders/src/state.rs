//! What the handlers share.

use std::sync::Arc;

use chrono::{DateTime, Duration, Utc};
use parlour_chassis::{Clock, Context};
use parlour_db::Db;
use parlour_vault::Vault;

use crate::domain::order::Status;
use crate::settings::Settings;
use crate::store::orders::Order;

/// The service's parts. Cheap to clone.
#[derive(Clone)]
pub struct Orders {
    /// Its database.
    pub db: Db,
    /// Seals what people wrote.
    pub vault: Vault,
    /// What time it is.
    pub clock: Clock,
    /// Its configuration.
    pub settings: Arc<Settings>,
}

impl Orders {
    /// Reads the configuration and opens what it needs.
    pub fn open(context: &Context) -> anyhow::Result<Self> {
        Ok(Self {
            db: context.db()?,
            vault: context.vault.clone(),
            clock: context.clock.clone(),
            settings: Arc::new(context.config()?),
        })
    }

    /// The time, to the microsecond that the database keeps.
    pub fn now(&self) -> DateTime<Utc> {
        let now = self.clock.now();
        DateTime::from_timestamp_micros(now.timestamp_micros()).unwrap_or(now)
    }

    /// When an order that came into `status` at `since` has waited for too long. `None`
    /// when nobody has to do anything: it ended, or it is for the client to pay.
    pub fn due_at(&self, order: &Order, status: Status, since: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let (own, usual) = match status {
            Status::Pending if order.waits_for_payment() => return None,
            Status::Pending => (order.assignment_minutes, self.settings.assignment_minutes),
            Status::Assigned => (order.result_minutes, self.settings.result_minutes),
            Status::Submitted => (order.review_minutes, self.settings.review_minutes),
            Status::Delivered | Status::Cancelled => return None,
        };
        Some(since + Duration::minutes(own.map_or(usual, i64::from)))
    }

    /// The last reminder that comes too late for an appointment that is confirmed at `now`:
    /// nobody is told "in a day" of what is in an hour.
    pub fn reminders_missed(&self, start: DateTime<Utc>, now: DateTime<Utc>) -> Option<i32> {
        let late = |minutes: &&i32| now + Duration::minutes(i64::from(**minutes)) >= start;
        self.settings.reminder_minutes.iter().filter(late).min().copied()
    }
}
