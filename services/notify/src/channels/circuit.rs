//! Circuit breakers as providers use them: shared, by the clock, one for each peer.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, Utc};
use parlour_chassis::Clock;
use quick_cache::sync::Cache;

use super::breaker::{Answer, Breaker, Outcome, Rules};

/// Peers of one provider that are remembered; the ones heard of least are forgotten first.
const PEERS: usize = 1024;

/// The circuits of one provider: one for each peer that it speaks to. Most have a single
/// peer; a Web Push message goes to whichever push service the browser named, and a dead
/// one must not keep the others from being asked.
pub(super) struct Circuits {
    provider: Arc<str>,
    rules: Rules,
    clock: Clock,
    peers: Cache<String, Arc<Mutex<Breaker>>>,
}

impl Circuits {
    pub(super) fn new(provider: &str, rules: Rules, clock: Clock) -> Self {
        Self {
            provider: provider.into(),
            rules,
            clock,
            peers: Cache::new(PEERS),
        }
    }

    /// When to come again, if `peer` is left out now.
    pub(super) fn waits(&self, peer: &str) -> Option<DateTime<Utc>> {
        let breaker = self.peers.get(peer)?;
        lock(&breaker).waits(self.clock.now())
    }

    /// The right to ask `peer` now, or when to come again.
    pub(super) fn enter(&self, peer: &str) -> Result<Pass, DateTime<Utc>> {
        let made = self.peers.get_or_insert_with(peer, || {
            Ok::<_, std::convert::Infallible>(Arc::new(Mutex::new(Breaker::new(self.rules))))
        });
        let breaker = match made {
            Ok(breaker) => breaker,
            Err(never) => match never {},
        };
        let answer = lock(&breaker).ask(self.clock.now());
        let probe = match answer {
            Answer::Go => false,
            Answer::Probe => true,
            Answer::Wait(until) => return Err(until),
        };
        Ok(Pass {
            provider: self.provider.clone(),
            breaker,
            clock: self.clock.clone(),
            probe,
            reported: false,
        })
    }
}

/// The right to ask a peer once. Dropped without a report it leaves the circuit as it was,
/// so that an attempt that was cut off cannot block it.
pub(super) struct Pass {
    provider: Arc<str>,
    breaker: Arc<Mutex<Breaker>>,
    clock: Clock,
    probe: bool,
    reported: bool,
}

impl Pass {
    pub(super) fn report(mut self, outcome: Outcome) {
        self.reported = true;
        let (was_closed, is_closed) = {
            let mut breaker = lock(&self.breaker);
            let was_closed = breaker.is_closed();
            breaker.report(self.clock.now(), self.probe, outcome);
            (was_closed, breaker.is_closed())
        };
        // Which peer it is stays unsaid: a stranger may have named it.
        let provider = &*self.provider;
        if was_closed && !is_closed {
            tracing::warn!(provider, "left out for a while: it fails, or asked for it");
            metrics::counter!("parlour_provider_circuit_opened_total", "provider" => provider.to_owned())
                .increment(1);
        } else if is_closed && !was_closed {
            tracing::info!(provider, "taken back");
        }
    }
}

impl Drop for Pass {
    fn drop(&mut self) {
        if self.probe && !self.reported {
            lock(&self.breaker).forsake(self.clock.now());
        }
    }
}

fn lock(breaker: &Mutex<Breaker>) -> MutexGuard<'_, Breaker> {
    breaker.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn circuits() -> Circuits {
        let rules = Rules {
            failures: 1,
            back_off: Duration::from_secs(10),
            longest: Duration::from_mins(1),
        };
        Circuits::new("main", rules, Clock::manual(DateTime::UNIX_EPOCH).0)
    }

    #[test]
    fn a_dead_peer_does_not_close_the_way_to_another() {
        let circuits = circuits();
        circuits.enter("a").ok().unwrap().report(Outcome::Failed);
        assert!(circuits.enter("a").is_err());
        assert!(circuits.enter("b").is_ok());
    }

    #[test]
    fn a_probe_that_is_cut_off_frees_the_way() {
        let (clock, hands) = Clock::manual(DateTime::UNIX_EPOCH);
        let circuits = Circuits { clock, ..circuits() };
        circuits.enter("a").ok().unwrap().report(Outcome::Failed);
        hands.advance(chrono::Duration::seconds(10));
        let probe = circuits.enter("a").ok().unwrap();
        assert!(circuits.enter("a").is_err());
        drop(probe);
        assert!(circuits.enter("a").is_ok());
    }
}
