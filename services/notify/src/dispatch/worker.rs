//! One worker for each channel: a provider that is slow holds up its own channel only.

use std::sync::Arc;
use std::time::Duration;

use parlour_contracts::notify::v1::DeliveryFailed;
use parlour_db::{Scope, Tx};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::compose::{Composed, Letter, compose, letter};
use super::{Carrier, SocketPush, push};
use crate::channels::{Class, Refused, Sent};
use crate::domain::Channel;
use crate::domain::reason::Reason;
use crate::domain::retry::{self, Next};
use crate::error::Error;
use crate::state::Notify;
use crate::store::due::{self, Due};
use crate::store::{contacts, outcomes, subscriptions};

/// How often an outcome that cannot be written is tried again, and how long it waits at first.
const MARKS: u32 = 6;
const MARK_PAUSE: Duration = Duration::from_millis(100);

/// Claims and sends until `stop`.
pub(super) async fn run(
    channel: Channel,
    notify: Arc<Notify>,
    carrier: Arc<dyn Carrier>,
    stop: CancellationToken,
) {
    let concurrency = usize::from(notify.settings.dispatch.concurrency);
    let poll = Duration::from_millis(notify.settings.dispatch.poll_ms);
    let mut sending = JoinSet::new();
    while !stop.is_cancelled() {
        let free = concurrency.saturating_sub(sending.len());
        let mut found = 0;
        if free > 0 {
            match claim(&notify, channel, free).await {
                Ok(letters) => {
                    found = letters.len();
                    for letter in letters {
                        sending.spawn(deliver(channel, notify.clone(), carrier.clone(), letter));
                    }
                }
                Err(error) => tracing::warn!(%channel, %error, "what is due cannot be claimed"),
            }
        }
        if found == free && free > 0 {
            continue;
        }
        tokio::select! {
            () = stop.cancelled() => {}
            Some(_) = sending.join_next() => {}
            () = notify.outbound.bell(channel).notified(), if free > 0 => {}
            () = tokio::time::sleep(poll), if free > 0 => {}
        }
    }
    while sending.join_next().await.is_some() {}
}

/// Takes up to `most` deliveries for the length of a lease, with all that sending needs.
async fn claim(notify: &Arc<Notify>, channel: Channel, most: usize) -> Result<Vec<Letter>, Error> {
    let shared = notify.clone();
    let most = i64::try_from(most).unwrap_or(i64::MAX);
    let work = async move |tx: &mut Tx| -> Result<Vec<Letter>, Error> {
        let now = shared.clock.now();
        let lease = now + shared.settings.dispatch.lease();
        let ids = due::claim(tx, channel, now, lease, most).await?;
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let rules = shared.rules.get(tx).await?;
        let since = now - chrono::Duration::hours(1);
        let mut letters = Vec::with_capacity(ids.len());
        for due in due::load(tx, ids, since).await? {
            letters.push(letter(tx, rules.clone(), due).await?);
        }
        Ok(letters)
    };
    notify.db.write(Scope::Service, work).await
}

/// What is to be written about a delivery.
enum Outcome {
    Skipped(Reason),
    Sent(Sent),
    Refused(Refused),
}

async fn deliver(channel: Channel, notify: Arc<Notify>, carrier: Arc<dyn Carrier>, letter: Letter) {
    let outcome = match compose(&notify, channel, &letter) {
        Ok(Composed::Skip(reason)) => Outcome::Skipped(reason),
        Ok(Composed::Push(payload)) => {
            let due = &letter.due;
            let waiting = SocketPush {
                delivery_id: due.id,
                account_id: due.account_id,
                attempts: due.attempts,
                queued_at: due.queued_at,
                expires_at: due.expires_at,
                push: push(due.account_id, payload),
                span: tracing::Span::current(),
            };
            // The sockets' own task marks it.
            notify.outbound.sockets.send(waiting).await.ok();
            return;
        }
        Ok(Composed::Message(message)) => match carrier.carry(&message).await {
            Ok(sent) => Outcome::Sent(sent),
            Err(refused) => Outcome::Refused(refused),
        },
        Err(error) => {
            tracing::error!(delivery = %letter.due.id, %error, "a delivery cannot be composed");
            Outcome::Refused(Refused {
                class: Class::Permanent,
                provider: String::new(),
                words: "the message could not be put together".to_owned(),
                retry_after: None,
            })
        }
    };
    mark(channel, &notify, Arc::new(letter.due), Arc::new(outcome)).await;
}

/// Writes the outcome. The window between a provider's word and this one statement is the only one
/// in which a death sends a message twice, so a database that is briefly away is waited for.
async fn mark(channel: Channel, notify: &Arc<Notify>, due: Arc<Due>, outcome: Arc<Outcome>) {
    let mut pause = MARK_PAUSE;
    let name = match &*outcome {
        Outcome::Skipped(_) => "skipped",
        Outcome::Sent(_) => "sent",
        Outcome::Refused(_) => "refused",
    };
    for _ in 0..MARKS {
        let (shared, due, outcome) = (notify.clone(), due.clone(), outcome.clone());
        let work = async move |tx: &mut Tx| -> Result<(), Error> {
            write(channel, &shared, tx, &due, &outcome).await
        };
        match notify.db.write(Scope::Service, work).await {
            Ok(()) => {
                metrics::counter!("parlour_notify_deliveries_total", "channel" => channel.name(), "outcome" => name)
                    .increment(1);
                return;
            }
            Err(error) => tracing::warn!(%channel, %error, "an outcome cannot be written"),
        }
        tokio::time::sleep(pause).await;
        pause *= 2;
    }
}

async fn write(
    channel: Channel,
    notify: &Notify,
    tx: &mut Tx,
    due: &Due,
    outcome: &Outcome,
) -> Result<(), Error> {
    let now = notify.clock.now();
    match outcome {
        Outcome::Skipped(reason) => Ok(outcomes::skipped(tx, due.id, *reason).await?),
        Outcome::Sent(sent) => Ok(outcomes::sent(tx, due.id, sent, now).await?),
        Outcome::Refused(refused) => {
            if refused.class == Class::BadAddress {
                bury(channel, tx, due).await?;
            }
            let patience = notify.settings.dispatch.patience();
            let jitter = rand::random();
            let next = retry::after(
                refused,
                due.attempts,
                due.queued_at,
                due.expires_at,
                &patience,
                now,
                jitter,
            );
            match next {
                Next::At(at) => Ok(outcomes::retry(tx, due.id, at, &refused.provider, &refused.words).await?),
                Next::GiveUp => give_up(channel, tx, due, refused).await,
            }
        }
    }
}

async fn give_up(channel: Channel, tx: &mut Tx, due: &Due, refused: &Refused) -> Result<(), Error> {
    let class = refused.class.name();
    if outcomes::failed(tx, due.id, class, &refused.provider, &refused.words).await? == 0 {
        return Ok(());
    }
    let event = DeliveryFailed {
        notification_id: due.notification_id.map_or_else(String::new, |id| id.to_string()),
        account_id: due.account_id.to_string(),
        channel: channel.name().to_owned(),
        class: class.to_owned(),
    };
    parlour_events::publish(tx, format!("account:{}", due.account_id), &event).await?;
    Ok(())
}

/// An address that is of no use is not tried again, until there is another one.
async fn bury(channel: Channel, tx: &mut Tx, due: &Due) -> Result<(), Error> {
    match (channel, &due.email_sealed, &due.phone_sealed) {
        // A requested mail names its own address, which need not be the one that is known.
        (Channel::Email, Some(sealed), _) if due.mail_sealed.is_none() => {
            contacts::bury_email(tx, due.account_id, sealed).await?;
        }
        (Channel::Sms, _, Some(sealed)) => contacts::bury_phone(tx, due.account_id, sealed).await?,
        (Channel::Push, _, _) => subscriptions::bury(tx, due.target).await?,
        _ => {}
    }
    Ok(())
}
