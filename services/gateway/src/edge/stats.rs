//! What each route has done since the start, for SafeTalk's `/metrics/`.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use actix_web::http::Method;

/// One worker's counts. Routes come from documents, so that there is an end to them.
#[derive(Default)]
pub(crate) struct WorkerStats(Mutex<HashMap<Box<str>, Methods>>);

type Methods = Vec<(Method, Tally)>;

/// The counts of one route.
#[derive(Clone, Copy)]
pub(crate) struct Tally {
    pub(crate) requests: u64,
    pub(crate) time: Duration,
    pub(crate) last: Instant,
}

impl WorkerStats {
    /// Counts one request.
    pub(crate) fn count(&self, method: &Method, route: &str, time: Duration, now: Instant) {
        let mut routes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let fresh = Tally {
            requests: 1,
            time,
            last: now,
        };
        let Some(methods) = routes.get_mut(route) else {
            routes.insert(route.into(), vec![(method.clone(), fresh)]);
            return;
        };
        match methods.iter_mut().find(|(known, _)| known == method) {
            Some((_, tally)) => tally.add(fresh),
            None => methods.push((method.clone(), fresh)),
        }
    }
}

impl Tally {
    fn add(&mut self, other: Self) {
        self.requests += other.requests;
        self.time += other.time;
        self.last = self.last.max(other.last);
    }

    /// Milliseconds a request took, on average.
    #[expect(clippy::cast_precision_loss, reason = "it is an average")]
    pub(crate) fn average_ms(&self) -> f64 {
        self.time.as_secs_f64() * 1000.0 / self.requests.max(1) as f64
    }
}

/// All workers' counts.
#[derive(Default)]
pub(crate) struct Stats(Mutex<Vec<Arc<WorkerStats>>>);

impl Stats {
    /// The counts of one more worker.
    pub(crate) fn worker(&self) -> Arc<WorkerStats> {
        let worker = Arc::<WorkerStats>::default();
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(worker.clone());
        worker
    }

    /// The sum, by method and route.
    pub(crate) fn sum(&self) -> BTreeMap<String, Tally> {
        let mut sum = BTreeMap::<String, Tally>::new();
        for worker in self.0.lock().unwrap_or_else(PoisonError::into_inner).iter() {
            let routes = worker.0.lock().unwrap_or_else(PoisonError::into_inner);
            for (route, methods) in routes.iter() {
                for (method, tally) in methods {
                    let of_route = sum.entry(format!("{method} {route}"));
                    of_route.and_modify(|known| known.add(*tally)).or_insert(*tally);
                }
            }
        }
        sum
    }
}
