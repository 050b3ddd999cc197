//! One channel to the broker and the lanes that go through it.

use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt as _;
use lapin::Channel;
use lapin::options::ConfirmSelectOptions;
use tokio::sync::{Notify, RwLock};
use tokio_postgres::Client;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::rows::{Statements, chains};
use super::{Context, RelayError, pipe_of, wave};
use crate::backoff::Backoff;
use crate::broker::Purpose;
use crate::{BrokerError, metric};

/// How many events of one aggregate go out before the lanes are read again, so
/// that a long chain does not keep the others waiting.
const DEPTH: usize = 16;
/// How often lanes are looked into before they may be given back.
const LOOKS: usize = 16;
/// How long the mark of what was published waits for a look that takes it along. What a crash takes with it
/// in that time is published again, and every inbox knows it.
const MARK: Duration = Duration::from_millis(20);

/// Whether a round left something that it could have published.
enum Left {
    Nothing,
    Perhaps,
}

pub(super) struct Pipe {
    pub(super) context: Arc<Context>,
    pub(super) client: Arc<Client>,
    pub(super) statements: Statements,
    /// Held for reading while a round is under way: a lane is only given back between rounds.
    pub(super) lanes: Arc<RwLock<Vec<i16>>>,
    pub(super) number: usize,
    /// Rings when its lanes may have new rows.
    pub(super) bell: Arc<Notify>,
    /// The session is over.
    pub(super) lost: CancellationToken,
}

impl Pipe {
    /// Publishes until the session is lost or, after the stop, nothing is left.
    pub(super) async fn run(self) {
        tokio::select! {
            biased;
            () = self.lost.cancelled() => {}
            () = self.rounds() => {}
        }
    }

    async fn rounds(&self) {
        let mut backoff = Backoff::engine();
        let mut channel = None;
        loop {
            // Asked before the round: what was committed before the stop is then in it.
            let last = self.context.stop.is_cancelled();
            match self.round(&mut channel).await {
                Ok(Left::Nothing) if last => return,
                Ok(Left::Nothing) => {
                    backoff.reset();
                    let poll = Duration::from_millis(self.context.settings.poll_ms);
                    tokio::select! {
                        () = self.bell.notified() => {}
                        () = tokio::time::sleep(poll) => {}
                        () = self.context.stop.cancelled() => {}
                    }
                }
                Ok(Left::Perhaps) => backoff.reset(),
                Err(RelayError::Database(error)) if error.is_closed() => return self.lost.cancel(),
                Err(error) => {
                    metric::publish_failed(self.context.db.service());
                    tracing::warn!(service = self.context.db.service(), %error, "events stay in the outbox for now");
                    channel = None;
                    if matches!(error, RelayError::Broker(BrokerError::Returned(_))) {
                        self.mend_topology().await;
                    }
                    tokio::time::sleep(backoff.step()).await;
                }
            }
        }
    }

    /// Publishes what waits in this pipe's lanes.
    async fn round(&self, channel: &mut Option<Channel>) -> Result<Left, RelayError> {
        let lanes = self.lanes.read().await;
        let pipes = self.context.bells.len();
        let mine: Vec<i16> = lanes
            .iter()
            .copied()
            .filter(|lane| pipe_of(*lane, pipes) == self.number)
            .collect();
        if mine.is_empty() {
            return Ok(Left::Nothing);
        }
        let mut published = Vec::new();
        let ended = self.looks(channel, &mine, &mut published).await;
        // Whatever ended it: what is not marked goes out again.
        let marked = self.statements.mark(&self.client, &published).await;
        ended.and_then(|left| marked.map(|()| left))
    }

    /// Looks into `lanes` and publishes what is there, as long as there is more and not for ever: lanes cannot
    /// be given back meanwhile. What was `published` last is marked by the next look, if there is one.
    async fn looks(
        &self,
        channel: &mut Option<Channel>,
        lanes: &[i16],
        published: &mut Vec<Uuid>,
    ) -> Result<Left, RelayError> {
        let width = (self.context.settings.in_flight / self.context.bells.len()).max(1);
        let per_lane = width.div_ceil(lanes.len());
        let limit = i64::try_from(per_lane).unwrap_or(i64::MAX);
        let source = self.context.db.service();
        for _ in 0..LOOKS {
            self.gather().await;
            // What rang before now is in this look.
            self.has_rung();
            let wanted = (lanes, limit);
            let events = self
                .statements
                .fetch(&self.client, source, published, wanted)
                .await?;
            published.clear();
            if events.is_empty() {
                return Ok(Left::Nothing);
            }
            // Fewer than one lane may give, so no lane has more.
            let mut all = events.len() < per_lane;
            let channel = self.channel(channel).await?;
            all &= matches!(self.publish(&channel, events, published).await?, Left::Nothing);
            if all && !self.has_rung() && !self.rings_soon().await {
                return Ok(Left::Nothing);
            }
        }
        Ok(Left::Perhaps)
    }

    /// Leaves those who publish a while for more, where nobody is in a hurry.
    async fn gather(&self) {
        let while_more_come = Duration::from_millis(self.context.settings.gather_ms);
        if !while_more_come.is_zero() {
            tokio::select! {
                biased;
                () = self.context.stop.cancelled() => {}
                () = tokio::time::sleep(while_more_come) => {}
            }
        }
    }

    /// Whether the bell rang since this was asked last.
    fn has_rung(&self) -> bool {
        self.bell.notified().now_or_never().is_some()
    }

    /// Whether it rings before the mark can wait no longer.
    async fn rings_soon(&self) -> bool {
        tokio::select! {
            biased;
            () = self.bell.notified() => true,
            () = tokio::time::sleep(MARK) => false,
            () = self.context.stop.cancelled() => false,
        }
    }

    /// Wave after wave, each with the first unpublished event of every aggregate:
    /// an event that failed keeps those behind it back.
    async fn publish(
        &self,
        channel: &Channel,
        events: Vec<crate::Envelope>,
        published: &mut Vec<Uuid>,
    ) -> Result<Left, RelayError> {
        let limit = Duration::from_millis(self.context.settings.confirm_timeout_ms);
        let mut chains = chains(events);
        for _ in 0..DEPTH {
            let heads: Vec<_> = chains.iter().filter_map(|chain| chain.front()).collect();
            if heads.is_empty() {
                return Ok(Left::Nothing);
            }
            // An event is marked before the next of its aggregate goes out.
            self.statements.mark(&self.client, published).await?;
            published.clear();
            let wave = wave::publish(channel, &heads, limit).await;
            metric::published(self.context.db.service(), wave.kept.len());
            published.extend(wave.kept);
            if let Some(error) = wave.broken {
                return Err(error.into());
            }
            for chain in &mut chains {
                chain.pop_front();
            }
            chains.retain(|chain| !chain.is_empty());
        }
        Ok(Left::Perhaps)
    }

    async fn channel(&self, current: &mut Option<Channel>) -> Result<Channel, RelayError> {
        if let Some(channel) = current.as_ref().filter(|c| c.status().connected()) {
            return Ok(channel.clone());
        }
        let broker = &self.context.broker;
        let channel = broker.channel(Purpose::Publish).await?;
        broker
            .in_time(channel.confirm_select(ConfirmSelectOptions::default()))
            .await?;
        *current = Some(channel.clone());
        Ok(channel)
    }

    async fn mend_topology(&self) {
        if let Err(error) = self.context.broker.redeclare().await {
            tracing::warn!(%error, "the topology could not be declared again");
        }
    }
}
