//! What notify's handlers share.

use std::sync::Arc;
use std::time::Duration;

use parlour_chassis::{Clock, Context};
use parlour_db::Db;
use parlour_events::Realtime;
use parlour_vault::Vault;

use crate::dispatch::{Carrier, Outbound};
use crate::rules::RuleBook;
use crate::settings::Settings;

/// The service's parts.
pub struct Notify {
    /// Its database.
    pub db: Db,
    /// Seals its own fields.
    pub vault: Vault,
    /// Opens addresses that identity told of.
    pub contacts: Vault,
    /// What time it is.
    pub clock: Clock,
    /// Its configuration.
    pub settings: Settings,
    /// Routes, role defaults, templates.
    pub rules: RuleBook,
    /// The way to the sockets of chat.
    pub realtime: Realtime,
    /// The way to who sends.
    pub outbound: Outbound,
    /// Who carries messages to the outside.
    pub carrier: Arc<dyn Carrier>,
}

impl Notify {
    /// Reads the configuration and opens what it needs.
    pub fn open(context: &Context, outbound: Outbound, carrier: Arc<dyn Carrier>) -> anyhow::Result<Self> {
        let settings: Settings = context.config()?;
        Ok(Self {
            db: context.db()?,
            vault: context.vault.clone(),
            contacts: Vault::new(&context.settings.contacts)?,
            clock: context.clock.clone(),
            rules: RuleBook::new(Duration::from_millis(settings.rules_ms)),
            realtime: Realtime::new(context.broker.clone()),
            outbound,
            carrier,
            settings,
        })
    }
}
