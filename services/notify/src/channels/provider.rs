//! One provider behind its circuit breaker.

use chrono::{DateTime, Utc};
use parlour_chassis::Clock;

use super::attempt::Failure;
use super::breaker::{Outcome, Rules};
use super::carrier::Carrier;
use super::circuit::Circuits;
use super::{Class, Outgoing, Refused, Sent};

/// A configured provider.
pub(super) struct Provider {
    name: String,
    carrier: Carrier,
    circuits: Circuits,
    clock: Clock,
}

impl Provider {
    pub(super) fn new(name: &str, carrier: Carrier, rules: Rules, clock: &Clock) -> Self {
        Self {
            name: name.to_owned(),
            carrier,
            circuits: Circuits::new(name, rules, clock.clone()),
            clock: clock.clone(),
        }
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    pub(super) fn carrier(&self) -> &Carrier {
        &self.carrier
    }

    /// Asks the provider, unless its circuit is open.
    pub(super) async fn carry(&self, message: &Outgoing) -> Result<Sent, Refused> {
        let peer = Carrier::peer(&message.to);
        if let Some(until) = self.circuits.waits(&peer) {
            return Err(self.left_out(until));
        }
        // First the place and then the circuit: those who waited behind a provider that died
        // meanwhile go on to the next one instead of finding out for themselves.
        let _place = self.carrier.place().await;
        let pass = self.circuits.enter(&peer).map_err(|until| self.left_out(until))?;
        let now = self.clock.now();
        let done = self.carrier.carry(message, now).await;
        pass.report(outcome(&done));
        match done {
            Ok(provider_id) => Ok(Sent {
                provider: self.name.clone(),
                provider_id,
            }),
            Err(failure) => {
                tracing::debug!(
                    provider = self.name,
                    delivery_id = %message.delivery_id,
                    class = failure.class.name(),
                    "a provider did not take a message"
                );
                Err(self.refused(failure))
            }
        }
    }

    fn left_out(&self, until: DateTime<Utc>) -> Refused {
        let wait = (until - self.clock.now()).to_std().unwrap_or_default();
        let failure = Failure::of_provider(Class::Transient, "left out for a while: it failed too often");
        self.refused(failure.after(Some(wait)))
    }

    fn refused(&self, failure: Failure) -> Refused {
        Refused {
            class: failure.class,
            provider: self.name.clone(),
            words: failure.words,
            retry_after: failure.retry_after,
        }
    }
}

/// What an attempt says about the provider.
fn outcome(done: &Result<Option<String>, Failure>) -> Outcome {
    match done {
        Err(failure) if failure.unwell => match failure.retry_after {
            Some(wait) => Outcome::Hold(wait),
            None => Outcome::Failed,
        },
        _ => Outcome::Healthy,
    }
}
