//! What a service is given to put itself together.

use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

use parlour_auth::{InternalKey, Verifier};
use parlour_config::{ConfigError, Environment, Layers, Part};
use parlour_db::Db;
use parlour_events::Broker;
use parlour_http::Limits;
use parlour_vault::Vault;
use tokio_util::sync::CancellationToken;

use crate::settings::DevelopmentSettings;
use crate::{Clock, Handovers, Readiness, Settings};

/// The process, as one of its services sees it.
#[derive(Clone)]
pub struct Context {
    /// The service's name.
    pub service: &'static str,
    /// The configuration.
    pub layers: Layers,
    /// The parts that every process reads.
    pub settings: Arc<Settings>,
    /// The service's own database, if it has one.
    pub db: Option<Db>,
    /// The broker.
    pub broker: Broker,
    /// The keys.
    pub vault: Vault,
    /// What time it is.
    pub clock: Clock,
    /// The limits in force.
    pub limits: Limits,
    /// How the process's services are.
    pub readiness: Readiness,
    /// The names of all services in this process.
    pub local: Arc<[&'static str]>,
    /// Who takes connections of this process over.
    pub handovers: Handovers,
    /// Ends when the process stops.
    pub stop: CancellationToken,
    pub(crate) verifier: Arc<OnceLock<Arc<Verifier>>>,
}

impl Context {
    /// The context of one service for an operator's command: nothing is served and nothing consumed.
    pub fn offline(service: &'static str, layers: Layers) -> anyhow::Result<Self> {
        let settings = Arc::new(Settings::read(&layers)?);
        let broker = Broker::new(settings.broker.clone())?;
        Ok(Self {
            service,
            db: Some(Db::new(&settings.database, service)?),
            vault: Vault::new(&settings.vault)?,
            clock: Clock::system(),
            limits: Limits::new(settings.limits.clone()),
            readiness: Readiness::new(broker.clone()),
            local: Arc::new([service]),
            handovers: Handovers::default(),
            stop: CancellationToken::new(),
            verifier: Arc::default(),
            broker,
            layers,
            settings,
        })
    }

    /// Where the process runs.
    pub fn environment(&self) -> Environment {
        self.layers.environment()
    }

    /// The service's own part of the configuration.
    pub fn config<P: Part>(&self) -> Result<P, ConfigError> {
        self.layers.part(self.service)
    }

    /// The service's database, which it said it has.
    pub fn db(&self) -> anyhow::Result<Db> {
        self.db
            .clone()
            .ok_or_else(|| anyhow::anyhow!("{} has no database", self.service))
    }

    /// The folder that mails and messages land in during development. Production has none.
    pub fn outbox(&self) -> anyhow::Result<PathBuf> {
        if self.environment().is_production() {
            anyhow::bail!("the development outbox is not for production");
        }
        let folder = self.layers.part::<DevelopmentSettings>("development")?.outbox;
        std::fs::create_dir_all(&folder)?;
        Ok(folder)
    }

    /// The process's token verifier. There is one once every service was built.
    pub fn verifier(&self) -> Option<&Arc<Verifier>> {
        self.verifier.get()
    }

    /// The secret by which the platform's processes know each other.
    pub fn internal_key(&self) -> &InternalKey {
        &self.settings.internal
    }
}
