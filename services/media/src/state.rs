//! What the handlers share.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use parlour_auth::InternalKey;
use parlour_chassis::{Clock, Context};
use parlour_db::Db;
use parlour_vault::Vault;
use tokio::sync::{Notify, Semaphore};
use uuid::Uuid;

use crate::settings::Settings;
use crate::storage::Objects;
use crate::tools::Tools;
use crate::whole::Room;

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
    /// Scanners, and the slots for heavy work.
    pub tools: Tools,
    /// Uploads that are looked at at the same time before they are answered.
    pub screens: Arc<Semaphore>,
    /// Room for files that are whole in memory.
    pub room: Room,
    /// Rings when there is a file to scan.
    pub pending: Arc<Notify>,
}

impl Media {
    /// Reads the configuration and opens what it needs.
    pub fn open(context: &Context) -> anyhow::Result<Self> {
        let settings: Settings = context.config()?;
        Ok(Self {
            db: context.db()?,
            vault: context.vault.clone(),
            clock: context.clock.clone(),
            objects: Objects::open(&settings.storage)?,
            tools: Tools::new(&settings)?,
            links: context.internal_key().clone(),
            slots: Arc::new(Semaphore::new(settings.upload_slots.into())),
            screens: Arc::new(Semaphore::new(settings.pictures.slots.into())),
            room: Room::new(settings.whole_bytes),
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
