//! What chat's handlers, consumers, jobs and sockets share.

use std::sync::Arc;

use chrono::{DateTime, Duration, Utc};
use parlour_auth::InternalKey;
use parlour_chassis::{Clock, Context};
use parlour_db::Db;
use parlour_http::Limits;
use parlour_vault::Vault;
use uuid::Uuid;

use crate::pushing::Pusher;
use crate::settings::Settings;
use crate::uploading::Uploads;

/// The service's parts. Cheap to clone.
#[derive(Clone)]
pub struct Chat {
    /// Its database.
    pub db: Db,
    /// Seals what people wrote.
    pub vault: Vault,
    /// Seals what others are told of it.
    pub contacts: Vault,
    /// What time it is.
    pub clock: Clock,
    /// The limits in force.
    pub limits: Limits,
    /// The way to the sockets of all replicas.
    pub pusher: Pusher,
    /// The way of files to media.
    pub uploads: Uploads,
    /// Its configuration.
    pub settings: Arc<Settings>,
    links: Arc<InternalKey>,
}

impl Chat {
    /// Reads the configuration and opens what it needs.
    pub fn open(context: &Context, settings: Settings, pusher: Pusher) -> anyhow::Result<Self> {
        Ok(Self {
            db: context.db()?,
            vault: context.vault.clone(),
            contacts: Vault::new(&context.settings.contacts)?,
            clock: context.clock.clone(),
            limits: context.limits.clone(),
            pusher,
            uploads: Uploads::new(&settings)?,
            settings: Arc::new(settings),
            links: Arc::new(context.internal_key().clone()),
        })
    }

    /// The time, to the microsecond that the database keeps.
    pub fn now(&self) -> DateTime<Utc> {
        let now = self.clock.now();
        DateTime::from_timestamp_micros(now.timestamp_micros()).unwrap_or(now)
    }

    /// A link on the gateway that opens a file for a while, without a header.
    pub fn file_url(&self, file: Uuid) -> String {
        let until = self.now() + Duration::hours(self.settings.link_hours);
        let token = self.links.sign_link(file, until);
        let base = self.settings.public_url.trim_end_matches('/');
        format!("{base}/api/media/shared/{token}")
    }

    /// Whether whatever this account says waits for a monitor. Ids of accounts are `UUIDv7`:
    /// they say when the account was made.
    pub fn on_probation(&self, account: Uuid) -> bool {
        if self.settings.probation_minutes == 0 {
            return false;
        }
        let made = account.get_timestamp().and_then(|at| {
            let (seconds, nanos) = at.to_unix();
            DateTime::from_timestamp(i64::try_from(seconds).ok()?, nanos)
        });
        made.is_some_and(|made| self.now() < made + self.settings.probation())
    }
}
