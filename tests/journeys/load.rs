//! A bounded load that counts what fails.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use parlour_testkit::Client;
use serde_json::json;
use tokio::task::JoinSet;

/// Requests going on in the background.
pub(crate) struct Load {
    stop: Arc<AtomicBool>,
    done: Arc<AtomicUsize>,
    tasks: JoinSet<Vec<String>>,
}

impl Load {
    /// `clients` of them read and write a profile in turns until [`Load::finish`].
    pub(crate) fn start(gateway: &Client, tokens: &[String]) -> Self {
        let (stop, done) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
        let mut tasks = JoinSet::new();
        for token in tokens {
            let me = gateway.signed_in(token);
            let (stop, done) = (stop.clone(), done.clone());
            tasks.spawn(async move {
                let mut failures = Vec::new();
                while !stop.load(Ordering::Relaxed) {
                    let count = done.fetch_add(1, Ordering::Relaxed);
                    let request = match count % 4 {
                        0 => me.put("/api/profile").json(json!({ "bio": format!("{count}") })),
                        _ => me.get("/api/profile"),
                    };
                    match request.send().await {
                        Ok(answer) if answer.status() == 200 => {}
                        Ok(answer) => failures.push(format!("{}: {}", answer.status(), answer.text())),
                        Err(error) => failures.push(error.to_string()),
                    }
                }
                failures
            });
        }
        Self { stop, done, tasks }
    }

    /// How many requests were made.
    pub(crate) fn done(&self) -> usize {
        self.done.load(Ordering::Relaxed)
    }

    /// Stops and answers every failure.
    pub(crate) async fn finish(self) -> Vec<String> {
        self.stop.store(true, Ordering::Relaxed);
        self.tasks.join_all().await.into_iter().flatten().collect()
    }
}
