//! What the workers of the gateway share.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use parlour_chassis::{Context, Handovers, Local, Readiness};
use parlour_telemetry::LogFormat;
use tokio_util::sync::CancellationToken;

use crate::config::Settings;
use crate::edge::caps::Caps;
use crate::edge::cors::Cors;
use crate::edge::limits::Gate;
use crate::edge::stats::Stats;
use crate::health::Remembered;
use crate::http::demo::Demo;
use crate::merge::Merged;
use crate::prefixes::Prefixes;
use crate::upstream::documents::Documents;
use crate::upstream::pool::Pools;
use crate::upstream::probe::{Heard, Probe};
use crate::upstream::sticky::Sticky;

/// One per process.
pub(crate) struct Shared {
    pub(crate) settings: Settings,
    pub(crate) readiness: Readiness,
    /// The services of this process.
    pub(crate) here: Arc<[&'static str]>,
    pub(crate) prefixes: Prefixes,
    pub(crate) pools: Arc<Pools>,
    pub(crate) documents: Arc<Documents>,
    pub(crate) heard: Arc<Heard>,
    /// The names in `/health`, by service.
    pub(crate) names: BTreeMap<String, Vec<String>>,
    pub(crate) gate: Gate,
    pub(crate) requests: Arc<Caps>,
    pub(crate) tunnels: Arc<Caps>,
    /// Who of this process takes tunnels over.
    pub(crate) handovers: Handovers,
    pub(crate) cors: Cors,
    pub(crate) stats: Stats,
    pub(crate) sticky: Sticky,
    pub(crate) health: Remembered,
    pub(crate) merged: Merged,
    /// The page under `/demo`, which production has not.
    pub(crate) demo: Option<Demo>,
    /// Whether spans are exported, so that the gateway makes some of its own.
    pub(crate) traced: bool,
    /// Whether the log is JSON.
    pub(crate) json: bool,
    local: OnceLock<Arc<Local>>,
}

impl Shared {
    pub(crate) fn new(settings: Settings, context: &Context) -> Self {
        let caps = settings.caps;
        Self {
            readiness: context.readiness.clone(),
            here: context.local.clone(),
            prefixes: Prefixes::new(&settings.prefixes),
            pools: Arc::new(Pools::new(&settings)),
            documents: Arc::default(),
            heard: Arc::default(),
            names: settings
                .health
                .iter()
                .map(|(name, told)| (name.clone(), told.0.clone()))
                .collect(),
            gate: Gate::new(context.limits.clone(), settings.replicas, caps.rate_keys),
            requests: Caps::new(caps.requests, caps.requests_per_address),
            tunnels: Caps::new(caps.tunnels, caps.tunnels_per_address),
            handovers: context.handovers.clone(),
            cors: Cors::new(&settings.cors),
            stats: Stats::default(),
            sticky: Sticky::new(caps.sticky_sessions),
            health: Remembered::default(),
            merged: Merged::default(),
            demo: Demo::new(&settings.demo_client),
            traced: context.settings.telemetry.otlp_endpoint.is_some(),
            json: context.settings.telemetry.format == LogFormat::Json,
            local: OnceLock::new(),
            settings,
        }
    }

    /// What this process serves itself, once a worker has begun.
    pub(crate) fn local(&self) -> Option<&Arc<Local>> {
        self.local.get()
    }

    /// Each worker tells; they all tell the same.
    pub(crate) fn set_local(&self, local: &Arc<Local>) {
        self.local.get_or_init(|| local.clone());
    }

    /// Whether a service is part of this process.
    pub(crate) fn is_here(&self, service: &str) -> bool {
        self.here.contains(&service)
    }

    /// Starts what goes on beside the requests.
    pub(crate) fn start(self: &Arc<Self>, stop: &CancellationToken) {
        let probe = Probe {
            settings: self.settings.probe,
            pools: self.pools.clone(),
            documents: self.documents.clone(),
            heard: self.heard.clone(),
            names: self.names.clone(),
        };
        tokio::spawn(probe.run(stop.clone()));
        let (shared, stop) = (self.clone(), stop.clone());
        tokio::spawn(async move {
            for second in 1_u64.. {
                let pause = tokio::time::sleep(std::time::Duration::from_secs(1));
                if stop.run_until_cancelled(pause).await.is_none() {
                    return;
                }
                shared.gate.refresh();
                if second.is_multiple_of(10) {
                    shared.gate.forget();
                }
            }
        });
    }
}
