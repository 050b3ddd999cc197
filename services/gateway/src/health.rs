//! How the whole is doing, from what its services say of themselves.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use parlour_chassis::{ServiceHealth, VERSION};
use serde::Serialize;
use tokio::sync::Mutex;
use utoipa::ToSchema;

use crate::shared::Shared;
use crate::upstream::pool::Pool;
use crate::upstream::probe::{Answer, health_in};

/// How long an answer holds.
const FRESH: Duration = Duration::from_secs(1);

/// The whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// Every service is active.
    Healthy,
    /// Some are not.
    Degraded,
    /// None can do its work.
    Unhealthy,
}

/// One service.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum ApiHealth {
    /// Everything it needs is there.
    Active,
    /// It answers, but something that it needs in the background is away.
    Degraded,
    /// It cannot do its work.
    Down,
}

impl From<ServiceHealth> for ApiHealth {
    fn from(health: ServiceHealth) -> Self {
        match health {
            ServiceHealth::Active => Self::Active,
            ServiceHealth::Degraded => Self::Degraded,
            ServiceHealth::Down => Self::Down,
        }
    }
}

/// The state of the platform.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Platform {
    /// The whole.
    pub status: Status,
    /// The version of what answers.
    pub version: &'static str,
    /// One entry for every service that is deployed.
    pub apis: BTreeMap<String, ApiHealth>,
}

/// The last answer.
#[derive(Default)]
pub(crate) struct Remembered(Mutex<Option<(Instant, Arc<Platform>)>>);

/// The state of the platform, no older than a second. However many ask, one looks.
pub(crate) async fn platform(shared: &Shared) -> Arc<Platform> {
    let mut last = shared.health.0.lock().await;
    if let Some((at, platform)) = &*last
        && at.elapsed() < FRESH
    {
        return platform.clone();
    }
    let platform = Arc::new(look(shared).await);
    *last = Some((Instant::now(), platform.clone()));
    platform
}

async fn look(shared: &Shared) -> Platform {
    let mut apis = BTreeMap::new();
    for (key, health) in shared.readiness.report().await.services {
        if key != crate::NAME {
            enter(&mut apis, shared, &key, health.into());
        }
    }
    let is_told = |pool: &&Arc<Pool>| !pool.only_sockets && !shared.is_here(&pool.service);
    for pool in shared.pools.iter().filter(is_told) {
        enter(&mut apis, shared, &pool.service, remote(shared, pool));
    }
    let status = if apis.values().all(|health| *health == ApiHealth::Active) {
        Status::Healthy
    } else if apis.values().all(|health| *health == ApiHealth::Down) {
        Status::Unhealthy
    } else {
        Status::Degraded
    };
    Platform {
        status,
        version: VERSION,
        apis,
    }
}

/// Under every name that the service has; `key` is its own or one of them.
fn enter(apis: &mut BTreeMap<String, ApiHealth>, shared: &Shared, key: &str, health: ApiHealth) {
    let is_meant = |(service, names): &(&String, &Vec<String>)| {
        service.as_str() == key || names.iter().any(|name| name == key)
    };
    match shared.names.iter().find(is_meant) {
        Some((_, names)) => apis.extend(names.iter().map(|name| (name.clone(), health))),
        None => {
            apis.insert(key.to_owned(), health);
        }
    }
}

/// The best of its replicas: one that is well can serve.
fn remote(shared: &Shared, pool: &Pool) -> ApiHealth {
    let members = pool.members();
    let of = |member: &Arc<crate::upstream::pool::Member>| match shared.heard.of(member.address)? {
        Answer::Alive => Some(ApiHealth::Active),
        Answer::Late | Answer::Nothing => None,
        Answer::Report(report) => health_in(&report, &pool.service, &shared.names).map(Into::into),
    };
    members.iter().filter_map(of).min().unwrap_or(ApiHealth::Down)
}
