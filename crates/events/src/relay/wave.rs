//! Publishing many events at once and learning which of them the broker keeps.

use std::collections::HashSet;
use std::time::Duration;

use futures_util::future::join_all;
use lapin::options::BasicPublishOptions;
use lapin::{Channel, Confirmation};
use tokio::time::timeout;
use uuid::Uuid;

use crate::topology::DURABLE_EXCHANGE;
use crate::{BrokerError, Envelope};

/// What became of a wave.
#[derive(Default)]
pub(super) struct Wave {
    /// The broker has them.
    pub(super) kept: Vec<Uuid>,
    /// It gave them back or refused them.
    pub(super) failed: HashSet<Uuid>,
    /// The channel is of no use any more.
    pub(super) broken: Option<BrokerError>,
}

/// Publishes `events`, one of each aggregate, and waits for every confirm.
///
/// It waits for all before it believes any: a returned message comes attached to
/// whichever confirm the client library resolved next, so only its own id tells
/// which event was returned, and only the end of the wave tells that no more come.
pub(super) async fn publish(channel: &Channel, events: &[&Envelope], limit: Duration) -> Wave {
    match timeout(limit, confirmed(channel, events)).await {
        Ok(wave) => wave,
        Err(_) => Wave {
            broken: Some(BrokerError::Timeout(limit)),
            ..Wave::default()
        },
    }
}

async fn confirmed(channel: &Channel, events: &[&Envelope]) -> Wave {
    let sent = join_all(events.iter().map(|event| send(channel, event))).await;
    let mut wave = Wave::default();
    let mut returned = 0;
    for (event, sent) in events.iter().zip(sent) {
        let answer = match sent {
            Ok(confirm) => confirm.await,
            Err(error) => Err(error),
        };
        match answer {
            Ok(Confirmation::Ack(message)) => {
                wave.kept.push(event.id);
                if let Some(message) = message {
                    returned += 1;
                    let id = message.properties.message_id().as_ref().map(ToString::to_string);
                    wave.failed.extend(id.and_then(|id| id.parse::<Uuid>().ok()));
                }
            }
            Ok(Confirmation::Nack(_) | Confirmation::NotRequested) => {
                wave.failed.insert(event.id);
            }
            Err(error) => wave.broken = Some(error.into()),
        }
    }
    if wave.failed.len() < returned {
        // One that says not which it is: nothing of this wave is believed.
        wave.failed.extend(wave.kept.iter().copied());
    }
    wave.kept.retain(|id| !wave.failed.contains(id));
    if wave.broken.is_none() && !wave.failed.is_empty() {
        wave.broken = Some(match returned {
            0 => BrokerError::Refused(wave.failed.len()),
            _ => BrokerError::Returned(returned),
        });
    }
    wave
}

async fn send(channel: &Channel, event: &Envelope) -> lapin::Result<lapin::PublisherConfirm> {
    let options = BasicPublishOptions {
        mandatory: true,
        immediate: false,
    };
    channel
        .basic_publish(
            DURABLE_EXCHANGE.into(),
            event.event_type.as_str().into(),
            options,
            &event.payload,
            event.properties(),
        )
        .await
}
