//! One process of the platform, inside the test's.

use std::net::SocketAddr;
use std::time::Duration;

use parlour_chassis::{Clock, Process, Service};
use parlour_config::Layers;
use tokio::runtime::Runtime;

/// How long a start may take. What it waits for is in the log.
const PATIENCE: Duration = Duration::from_secs(30);

/// Runs on a runtime of its own, so that it goes on while the test blocks and
/// can be stopped from `drop`.
pub(crate) struct Replica {
    running: Option<(Runtime, Process)>,
    pub(crate) address: SocketAddr,
    pub(crate) internal_address: SocketAddr,
}

impl Replica {
    /// Starts `services`; done when they serve.
    pub(crate) async fn start(services: Vec<Service>, layers: Layers, clock: Clock) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("replica")
            .enable_all()
            .build()
            .expect("a runtime can be made");
        let starting = runtime.spawn(async move {
            let start = Process::start_at(clock, &services, layers, None);
            let started = tokio::time::timeout(PATIENCE, start).await;
            started
                .map_err(|_| format!("not within {PATIENCE:?}"))?
                .map_err(|error| error.to_string())
        });
        let started = starting
            .await
            .unwrap_or_else(|panicked| Err(panicked.to_string()));
        match started {
            Ok(process) => Self {
                address: process.address,
                internal_address: process.internal_address,
                running: Some((runtime, process)),
            },
            Err(why) => {
                runtime.shutdown_background();
                panic!("the services do not start: {why}")
            }
        }
    }

    /// The services that consume events here.
    pub(crate) fn consumers(&self) -> &[&'static str] {
        self.running
            .as_ref()
            .map_or(&[], |(_, process)| process.consumers())
    }

    /// Runs a job once, now.
    pub(crate) async fn run_job(&self, service: &str, job: &str) {
        let (_, process) = self.running.as_ref().expect("the process runs");
        match process.run_job(service, job).await {
            Some(done) => done.unwrap_or_else(|error| panic!("{job} of {service}: {error}")),
            None => panic!("{service} has no job {job}"),
        }
    }

    /// Whether it was not stopped.
    pub(crate) fn is_running(&self) -> bool {
        self.running.is_some()
    }

    /// Stops in an orderly way and waits for it.
    pub(crate) fn stop(&mut self) {
        if let Some((runtime, process)) = self.running.take() {
            let stopping = std::thread::spawn(move || runtime.block_on(process.stop()));
            drop(stopping.join());
        }
    }
}

impl Drop for Replica {
    fn drop(&mut self) {
        self.stop();
    }
}
