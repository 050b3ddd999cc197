//! What was sent, what arrived, and how long it took.

use std::collections::HashMap;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

/// What came of a measurement. The clients are one thread: nobody waits for its locks.
#[derive(Debug)]
pub(crate) struct Figures {
    zero: Instant,
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    answers: Vec<Duration>,
    receipts: Vec<Duration>,
    sessions: HashMap<String, u64>,
}

impl Default for Figures {
    fn default() -> Self {
        let zero = Instant::now();
        let inner = Mutex::default();
        Self { zero, inner }
    }
}

impl Figures {
    /// Forgets what was heard before it began.
    pub(crate) fn begin(&self) {
        *self.inner.lock().unwrap() = Inner::default();
    }

    /// A message that tells when it was due.
    pub(crate) fn content(&self, due: Instant, length: usize) -> String {
        let micros = due.duration_since(self.zero).as_micros();
        format!("{micros:<length$}").replace(' ', "x")
    }

    /// Something was answered.
    pub(crate) fn note_answer(&self, session: &str, due: Instant) {
        let mut inner = self.inner.lock().unwrap();
        inner.answers.push(due.elapsed());
        match inner.sessions.get_mut(session) {
            Some(count) => *count += 1,
            None => _ = inner.sessions.insert(session.to_owned(), 1),
        }
    }

    /// A message arrived, which tells when it was due.
    pub(crate) fn note_receipt(&self, packet: &str) {
        let (_, content) = packet.split_once(r#""content":""#).unwrap();
        let digits = content.find(|c: char| !c.is_ascii_digit()).unwrap();
        let due = Duration::from_micros(content.get(..digits).unwrap().parse().unwrap());
        let took = self.zero.elapsed().saturating_sub(due);
        self.inner.lock().unwrap().receipts.push(took);
    }

    /// Waits until so many have arrived, or nothing does any more.
    pub(crate) async fn wait_for(&self, expected: u64, patience: Duration) {
        let end = Instant::now() + patience;
        while self.delivered() < expected && Instant::now() < end {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// How many were answered.
    pub(crate) fn answered(&self) -> u64 {
        self.inner.lock().unwrap().answers.len() as u64
    }

    /// How many arrived.
    pub(crate) fn delivered(&self) -> u64 {
        self.inner.lock().unwrap().receipts.len() as u64
    }

    /// How many were answered in each session.
    pub(crate) fn sessions(&self) -> HashMap<String, u64> {
        self.inner.lock().unwrap().sessions.clone()
    }

    /// From when it was due to its answer.
    pub(crate) fn answer(&self) -> Value {
        percentiles(&mut self.inner.lock().unwrap().answers)
    }

    /// From when it was due to its receipt.
    pub(crate) fn receipt(&self) -> Value {
        percentiles(&mut self.inner.lock().unwrap().receipts)
    }
}

fn percentiles(times: &mut [Duration]) -> Value {
    times.sort_unstable();
    let at = |share: usize| {
        let found = times.get(times.len().saturating_sub(1) * share / 100);
        found.map(|time| time.as_secs_f64() * 1e3)
    };
    json!({ "p50": at(50), "p99": at(99) })
}

/// What this process has computed, by ticks of 10 ms.
pub(crate) fn cpu() -> Duration {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let after_name = stat.rsplit(") ").next().unwrap();
    let ticks = after_name.split(' ').skip(11).take(2);
    Duration::from_millis(ticks.map(|field| field.parse::<u64>().unwrap() * 10).sum())
}
