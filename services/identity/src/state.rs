//! What identity's handlers share.

use std::net::IpAddr;
use std::sync::Arc;

use chrono::{DateTime, Duration, Utc};
use parlour_auth::{Issuer, TokenReader};
use parlour_chassis::{Clock, Context};
use parlour_db::Db;
use parlour_http::Limits;
use parlour_vault::Vault;

use crate::error::Error;
use crate::hashing::Hasher;
use crate::keyring::KeyRing;
use crate::phone::PhoneVerifier;
use crate::settings::Settings;

/// The service's parts.
pub struct Identity {
    /// Its database.
    pub db: Db,
    /// What time it is.
    pub clock: Clock,
    /// Seals its own fields.
    pub vault: Vault,
    /// Seals addresses in events, for the services that reach people.
    pub contacts: Vault,
    /// Password hashes.
    pub hasher: Hasher,
    /// Signing keys.
    pub keys: Arc<KeyRing>,
    /// Trusted outside issuers.
    pub issuers: Vec<Issuer>,
    /// Phone numbers.
    pub phones: PhoneVerifier,
    /// The limits in force.
    pub limits: Limits,
    /// Its configuration.
    pub settings: Settings,
    /// Reads its own access tokens.
    pub reader: TokenReader,
    /// What its tokens say.
    pub tokens: parlour_auth::Settings,
    /// Whether cookies need TLS.
    pub secure_cookies: bool,
}

impl Identity {
    /// Reads the configuration and opens what it needs.
    pub async fn open(context: &Context) -> anyhow::Result<Self> {
        let settings: Settings = context.config()?;
        let db = context.db()?;
        let tokens = context.settings.auth.tokens.clone();
        let lifetime = Duration::seconds(i64::try_from(tokens.access_token_seconds)?);
        let ring = KeyRing::new(context, settings.signing_key_days, lifetime);
        let passes = |error: &Error| matches!(error, Error::Db(error) if error.is_transient());
        parlour_chassis::patiently(&context.stop, passes, || ring.refresh(&db)).await?;
        let issuers = settings.issuers.iter().cloned().map(Issuer::new);
        Ok(Self {
            vault: context.vault.clone(),
            contacts: Vault::new(&context.settings.contacts)?,
            hasher: Hasher::new(settings.concurrent_hashes)?,
            keys: Arc::new(ring),
            issuers: issuers.collect::<Result<_, _>>().map_err(anyhow::Error::msg)?,
            phones: PhoneVerifier::new(&settings.twilio, context)?,
            limits: context.limits.clone(),
            secure_cookies: context.environment().is_production(),
            reader: TokenReader::new(tokens.clone()),
            clock: context.clock.clone(),
            tokens,
            settings,
            db,
        })
    }

    /// The time, to the microsecond that the database keeps.
    pub fn now(&self) -> DateTime<Utc> {
        let now = self.clock.now();
        DateTime::from_timestamp_micros(now.timestamp_micros()).unwrap_or(now)
    }

    /// How long an access token lives.
    pub fn access_lifetime(&self) -> Duration {
        Duration::seconds(i64::try_from(self.tokens.access_token_seconds).unwrap_or(900))
    }

    /// The key under which an e-mail address is looked up.
    pub fn email_index(&self, normalised: &str) -> Vec<u8> {
        self.vault.blind_index("accounts.email", normalised)
    }

    /// The key under which a phone number is looked up.
    pub fn phone_index(&self, e164: &str) -> Vec<u8> {
        self.vault.blind_index("accounts.phone", e164)
    }

    /// The key under which an address' failures are counted.
    pub fn address_index(&self, address: Option<IpAddr>) -> Vec<u8> {
        let text = address.map(|a| a.to_string()).unwrap_or_default();
        self.vault.blind_index("sign_in_failures.address", &text)
    }
}
