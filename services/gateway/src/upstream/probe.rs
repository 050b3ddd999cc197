//! Asks every replica whether it is ready, resolves names, fetches documents.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use parlour_chassis::{Report, ServiceHealth};
use serde_json::Value;
use tokio_util::sync::CancellationToken;

use super::documents::Documents;
use super::pool::{Member, Pool, Pools, Standing};
use crate::config::ProbeSettings;

/// The most that an answer to a probe may have.
const MOST: usize = 16 * 1024 * 1024;

/// What was heard from the replicas last.
#[derive(Default)]
pub(crate) struct Heard(Mutex<HashMap<SocketAddr, Answer>>);

/// One replica's answer.
#[derive(Clone)]
pub(crate) enum Answer {
    /// How it is.
    Report(Arc<Report>),
    /// It answers, but does not know the question: it is not one of ours, and taken as it is.
    Alive,
    /// It took the question, and its answer did not come in time.
    Late,
    /// It does not answer.
    Nothing,
}

impl Heard {
    fn set(&self, address: SocketAddr, answer: Answer) {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(address, answer);
    }

    pub(crate) fn of(&self, address: SocketAddr) -> Option<Answer> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(&address)
            .cloned()
    }
}

/// Tells how many replicas of a service can be sent to.
#[expect(clippy::cast_precision_loss, reason = "a gauge is a float")]
fn count(pool: &Pool) {
    let members = pool.members();
    for (state, standing) in [
        ("ready", Standing::Ready),
        ("weak", Standing::Weak),
        ("slow", Standing::Slow),
        ("away", Standing::Away),
    ] {
        let count = members.iter().filter(|m| m.standing() == standing).count();
        metrics::gauge!("parlour_upstream_replicas", "service" => pool.service.to_string(), "state" => state)
            .set(count as f64);
    }
}

/// Everything that the task works on.
pub(crate) struct Probe {
    pub(crate) settings: ProbeSettings,
    pub(crate) pools: Arc<Pools>,
    pub(crate) documents: Arc<Documents>,
    pub(crate) heard: Arc<Heard>,
    /// The names in `/health`, by service.
    pub(crate) names: BTreeMap<String, Vec<String>>,
}

impl Probe {
    /// Asks until `stop`. Addresses are known when the first round is over.
    pub(crate) async fn run(self, stop: CancellationToken) {
        let client = match reqwest::Client::builder()
            .timeout(self.settings.timeout)
            .pool_idle_timeout(Duration::from_secs(20))
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .build()
        {
            Ok(client) => client,
            Err(error) => {
                tracing::error!(%error, "services cannot be probed");
                return;
            }
        };
        let mut resolved = Instant::now();
        let mut documented: Option<Instant> = None;
        loop {
            if resolved.elapsed().as_secs() >= self.settings.resolve_seconds {
                resolve(&self.pools).await;
                resolved = Instant::now();
            }
            self.ask_all(&client).await;
            let all_known = self.documented().all(|pool| self.documents.knows(&pool.service));
            let patience = if all_known {
                self.settings.documents_seconds
            } else {
                2
            };
            if documented.is_none_or(|at| at.elapsed().as_secs() >= patience) {
                self.fetch_all(&client).await;
                documented = Some(Instant::now());
            }
            let pause = tokio::time::sleep(self.settings.every);
            if stop.run_until_cancelled(pause).await.is_none() {
                return;
            }
        }
    }

    async fn ask_all(&self, client: &reqwest::Client) {
        let addresses: BTreeSet<SocketAddr> = self
            .pools
            .iter()
            .flat_map(|pool| pool.members().iter().map(|m| m.address).collect::<Vec<_>>())
            .collect();
        let answers = addresses.iter().map(|address| ask(client, *address));
        for (address, answer) in addresses.iter().zip(join_all(answers).await) {
            self.heard.set(*address, answer);
        }
        for pool in self.pools.iter() {
            for member in pool.members().iter() {
                let Some(answer) = self.heard.of(member.address) else {
                    continue;
                };
                let standing = self.standing(&pool.service, &answer);
                if standing != member.standing() {
                    tracing::info!(service = %pool.service, address = %member.address, ?standing, "a replica changed");
                }
                member.set_standing(standing);
            }
            count(pool);
        }
    }

    fn standing(&self, service: &str, answer: &Answer) -> Standing {
        let report = match answer {
            Answer::Alive => return Standing::Ready,
            Answer::Late => return Standing::Slow,
            Answer::Nothing => return Standing::Away,
            Answer::Report(report) => report,
        };
        if report.ready {
            return Standing::Ready;
        }
        // Not ready for a reason that is another service's, or because it drains.
        let others = report
            .services
            .values()
            .any(|health| *health == ServiceHealth::Down);
        match health_in(report, service, &self.names) {
            Some(ServiceHealth::Active | ServiceHealth::Degraded) if others => Standing::Weak,
            _ => Standing::Away,
        }
    }

    /// The services that have a document.
    fn documented(&self) -> impl Iterator<Item = &Arc<Pool>> {
        self.pools.iter().filter(|pool| !pool.only_sockets)
    }

    async fn fetch_all(&self, client: &reqwest::Client) {
        for pool in self.documented() {
            // Who is late would keep the probes of all others waiting.
            let prompt =
                |member: &&Arc<Member>| matches!(member.standing(), Standing::Ready | Standing::Weak);
            let address = pool.members().iter().find(prompt).map(|member| member.address);
            let Some(address) = address else { continue };
            if let Some(Value::Object(mut all)) = fetch(client, address, "/-/openapi.json").await
                && let Some(document) = all.remove(&*pool.service)
            {
                self.documents.learn(&pool.service, document);
            }
        }
    }
}

/// How a service is by a report, which knows it by its own name or by one it has in `/health`.
pub(crate) fn health_in(
    report: &Report,
    service: &str,
    names: &BTreeMap<String, Vec<String>>,
) -> Option<ServiceHealth> {
    let known = names.get(service).into_iter().flatten().map(String::as_str);
    let mut keys = std::iter::once(service).chain(known);
    keys.find_map(|key| report.services.get(key).copied())
}

/// Looks every name up. One that cannot be resolved now keeps the addresses it had.
pub(crate) async fn resolve(pools: &Pools) {
    join_all(pools.iter().map(|pool| resolve_one(pool))).await;
}

async fn resolve_one(pool: &Pool) {
    let mut addresses = Vec::new();
    for (host, port) in &pool.origins {
        match tokio::net::lookup_host((host.as_str(), *port)).await {
            Ok(found) => addresses.extend(found),
            Err(error) => {
                tracing::warn!(service = %pool.service, host, %error, "a service's name cannot be resolved");
                let known = pool.members();
                addresses.extend(known.iter().map(|member| member.address));
            }
        }
    }
    addresses.sort_unstable();
    addresses.dedup();
    pool.set_addresses(&addresses);
}

async fn ask(client: &reqwest::Client, address: SocketAddr) -> Answer {
    let mut answer = match client.get(format!("http://{address}/-/ready")).send().await {
        Ok(answer) => answer,
        Err(error) if error.is_timeout() && !error.is_connect() => return Answer::Late,
        Err(_) => return Answer::Nothing,
    };
    if answer.status() == reqwest::StatusCode::NOT_FOUND {
        return Answer::Alive;
    }
    let report = whole(&mut answer)
        .await
        .and_then(|body| serde_json::from_slice(&body).ok());
    report.map_or(Answer::Nothing, |report| Answer::Report(Arc::new(report)))
}

async fn fetch(client: &reqwest::Client, address: SocketAddr, path: &str) -> Option<Value> {
    let answer = client
        .get(format!("http://{address}{path}"))
        .timeout(Duration::from_secs(10))
        .send();
    let mut answer = answer.await.ok().filter(|answer| answer.status().is_success())?;
    serde_json::from_slice(&whole(&mut answer).await?).ok()
}

async fn whole(answer: &mut reqwest::Response) -> Option<Vec<u8>> {
    let mut body = Vec::new();
    while let Some(piece) = answer.chunk().await.ok()? {
        body.extend_from_slice(&piece);
        if body.len() > MOST {
            return None;
        }
    }
    Some(body)
}
