//! What the handlers share.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use parlour_auth::InternalKey;
use parlour_chassis::{Clock, Context};
use parlour_db::Db;
use parlour_files::picture::Workshop;
use parlour_files::scan::rules::Scanner;
use parlour_vault::Vault;
use tokio::sync::{Notify, Semaphore};
use uuid::Uuid;

use crate::settings::Settings;
use crate::storage::Objects;

/// The service's parts. Cheap to clone.
#[derive(Clone)]
pub struct Media {
    /// Its database.
    pub db: Db,
    /// Seals keys of objects and what people wrote.
    pub vault: Vault,
    /// What time it is.
    pub clock: Clock,
    /// Its configuration.
    pub settings: Arc<Settings>,
    /// The bytes.
    pub objects: Objects,
    /// Signs links.
    pub links: InternalKey,
    /// Uploads that may be received at the same time.
    pub slots: Arc<Semaphore>,
    /// Scans by the rules that are part of the program.
    pub scanner: Scanner,
    /// Where pictures are decoded.
    pub workshop: Workshop,
    /// Files that may be whole in memory while they are looked at.
    pub screens: Arc<Semaphore>,
    /// Rings when there is a file to scan.
    pub pending: Arc<Notify>,
}

impl Media {
    /// Reads the configuration and opens what it needs.
    pub fn open(context: &Context) -> anyhow::Result<Self> {
        let settings: Settings = context.config()?;
        let pictures = settings.pictures;
        let patience = Duration::from_secs(pictures.seconds.into());
        Ok(Self {
            db: context.db()?,
            vault: context.vault.clone(),
            clock: context.clock.clone(),
            objects: Objects::open(&settings.storage)?,
            links: context.internal_key().clone(),
            slots: Arc::new(Semaphore::new(settings.upload_slots.into())),
            scanner: Scanner::new(Duration::from_secs(settings.scan.seconds.into()))?,
            workshop: Workshop::new(pictures.slots.into(), pictures.queue.into(), patience),
            screens: Arc::new(Semaphore::new(pictures.slots.into())),
            pending: Arc::new(Notify::new()),
            settings: Arc::new(settings),
        })
    }

    /// The time, to the microsecond that the database keeps.
    pub fn now(&self) -> DateTime<Utc> {
        let now = self.clock.now();
        DateTime::from_timestamp_micros(now.timestamp_micros()).unwrap_or(now)
    }

    /// An address on the gateway that opens a file, or a rendition of one, for a while and without a header.
    pub fn link(&self, id: Uuid) -> String {
        self.link_until(id, self.clock.now() + self.settings.link())
    }

    /// The same, until `until`.
    pub fn link_until(&self, id: Uuid, until: DateTime<Utc>) -> String {
        self.shared_url(&self.links.sign_link(id, until))
    }

    /// Where a link with this token is opened.
    pub fn shared_url(&self, token: &str) -> String {
        let base = self.settings.public_url.trim_end_matches('/');
        format!("{base}/api/media/shared/{token}")
    }
}
