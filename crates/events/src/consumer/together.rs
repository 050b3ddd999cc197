//! Many events, one transaction.
//!
//! What waits and is gathered takes effect together: one commit, one look into the inbox, and one
//! statement where each would have had its own. A failure says nothing of a single event, so that it undoes
//! all of it and each is handled alone. Handlers with an effect of their own are left out: the order in
//! which they take their locks is right within one event.

use std::sync::Arc;
use std::time::{Duration, Instant};

use parlour_db::{Scope, Tx};
use tracing::Instrument as _;

use super::Context;
use super::apply::{self, Trouble};
use super::gather::Gathered;
use super::inbox::{self, Entry};
use crate::Envelope;
use crate::metric::{self, Outcome};

/// Handles delivered events in their order. Answers what became of each, or has done nothing.
pub(super) async fn deliver(
    context: &Arc<Context>,
    events: Vec<Arc<Envelope>>,
) -> Result<Vec<Outcome>, Trouble> {
    let shared = context.clone();
    let work = async move |tx: &mut Tx| -> Result<Vec<Outcome>, Trouble> {
        let entries = inbox::enter_all(tx, &events).await?;
        let mut all = Handled::default();
        let mut outcomes = Vec::with_capacity(events.len());
        for (event, entry) in events.iter().zip(entries) {
            outcomes.push(match entry {
                Entry::New => {
                    all.call(tx, &shared, event).await?;
                    Outcome::Applied
                }
                Entry::Behind => {
                    apply::wait_behind(tx, event).await?;
                    Outcome::Waiting
                }
                Entry::Duplicate => Outcome::Duplicate,
                Entry::Stale => apply::stale(event),
            });
        }
        all.settle(tx, &shared).await?;
        Ok(outcomes)
    };
    context.db.write(Scope::Service, work).await
}

/// What was handled so far, and for how long.
#[derive(Default)]
struct Handled {
    gathered: Gathered,
    times: Vec<(Arc<Envelope>, Duration)>,
}

impl Handled {
    async fn call(&mut self, tx: &mut Tx, context: &Context, event: &Arc<Envelope>) -> Result<(), Trouble> {
        let started = Instant::now();
        apply::call(tx, context, event, &mut self.gathered)
            .instrument(apply::span(event))
            .await?;
        self.times.push((event.clone(), started.elapsed()));
        Ok(())
    }

    async fn settle(self, tx: &mut Tx, context: &Context) -> Result<(), Trouble> {
        let started = Instant::now();
        self.gathered.settle(tx).await.map_err(Trouble::Handler)?;
        let share = started
            .elapsed()
            .checked_div(u32::try_from(self.times.len()).unwrap_or(u32::MAX));
        for (event, took) in self.times {
            metric::handled(
                context.db.service(),
                &event.event_type,
                took + share.unwrap_or_default(),
            );
        }
        Ok(())
    }
}
