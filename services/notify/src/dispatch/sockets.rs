//! Pushes to the sockets that are open now, over the realtime exchange.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use parlour_contracts::notify::v1::DeliveryFailed;
use parlour_db::{Scope, Tx};
use parlour_events::realtime::Target;
use serde_json::Value;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use tracing::{Instrument as _, Span};
use uuid::Uuid;

use crate::channels::{Class, Refused};
use crate::domain::Channel;
use crate::domain::retry::{self, Next};
use crate::error::Error;
use crate::state::Notify;
use crate::store::outcomes;

/// What the push is called on the socket.
const NAME: &str = "notification";
/// Pushes that are marked together.
const BATCH: usize = 256;

/// A notification for somebody's open frontends.
#[derive(Clone, Debug)]
pub struct SocketPush {
    /// Its delivery, which this process has claimed.
    pub delivery_id: Uuid,
    /// For whom.
    pub account_id: Uuid,
    /// How often it was tried, this time included.
    pub attempts: i32,
    /// When it was queued.
    pub queued_at: DateTime<Utc>,
    /// When it loses its point.
    pub expires_at: Option<DateTime<Utc>>,
    /// The notification as lists show it.
    pub payload: Value,
    /// What it was decided in, which its trace goes on from.
    pub span: Span,
}

/// Pushes until `stop`, and then what was handed over before.
pub(super) async fn run(
    notify: Arc<Notify>,
    mut pushes: mpsc::Receiver<SocketPush>,
    stop: CancellationToken,
) {
    let mut batch = Vec::with_capacity(BATCH);
    loop {
        tokio::select! {
            biased;
            received = pushes.recv_many(&mut batch, BATCH) => if received == 0 { return },
            () = stop.cancelled() => return,
        }
        push_all(&notify, std::mem::take(&mut batch)).await;
    }
}

/// Hands a batch to the exchange and marks it. The first refusal ends the trying: the broker
/// is away for the others too.
async fn push_all(notify: &Arc<Notify>, batch: Vec<SocketPush>) {
    let mut sent = Vec::with_capacity(batch.len());
    let mut pushes = batch.into_iter();
    let mut refused = Vec::new();
    for push in pushes.by_ref() {
        let target = Target::User(push.account_id);
        let sending = notify.realtime.send(&target, NAME, &push.payload);
        match sending.instrument(push.span.clone()).await {
            Ok(()) => sent.push(push.delivery_id),
            Err(error) => {
                refused.push((push, error.to_string()));
                break;
            }
        }
    }
    if let Some((_, words)) = refused.first() {
        let words = words.clone();
        refused.extend(pushes.map(|push| (push, words.clone())));
    }
    metrics::counter!("parlour_notify_deliveries_total", "channel" => "socket", "outcome" => "sent")
        .increment(sent.len() as u64);
    mark(notify, sent, refused).await;
}

async fn mark(notify: &Arc<Notify>, sent: Vec<Uuid>, refused: Vec<(SocketPush, String)>) {
    let now = notify.clock.now();
    if !sent.is_empty() {
        let pushed =
            async move |tx: &mut Tx| -> Result<(), Error> { Ok(outcomes::pushed(tx, sent, now).await?) };
        if let Err(error) = notify.db.write(Scope::Service, pushed).await {
            // They are pushed again when their lease ends, which a frontend knows by the id.
            tracing::warn!(%error, "pushes cannot be marked");
        }
    }
    for (push, words) in refused {
        let shared = notify.clone();
        let work =
            async move |tx: &mut Tx| -> Result<(), Error> { refuse(&shared, tx, &push, words, now).await };
        if let Err(error) = notify.db.write(Scope::Service, work).await {
            tracing::warn!(%error, "pushes cannot be marked");
            break;
        }
    }
}

async fn refuse(
    notify: &Notify,
    tx: &mut Tx,
    push: &SocketPush,
    words: String,
    now: DateTime<Utc>,
) -> Result<(), Error> {
    let refused = Refused {
        class: Class::Transient,
        provider: String::new(),
        words,
        retry_after: None,
    };
    let patience = notify.settings.dispatch.patience();
    let jitter = rand::random();
    match retry::after(
        &refused,
        push.attempts,
        push.queued_at,
        push.expires_at,
        &patience,
        now,
        jitter,
    ) {
        Next::At(at) => Ok(outcomes::retry(tx, push.delivery_id, at, "", &refused.words).await?),
        Next::GiveUp => {
            outcomes::failed(tx, push.delivery_id, refused.class.name(), "", &refused.words).await?;
            let notification = push.payload.get("id").and_then(Value::as_str).unwrap_or_default();
            let event = DeliveryFailed {
                notification_id: notification.to_owned(),
                account_id: push.account_id.to_string(),
                channel: Channel::Socket.name().to_owned(),
                class: refused.class.name().to_owned(),
            };
            parlour_events::publish(tx, format!("account:{}", push.account_id), &event).await?;
            Ok(())
        }
    }
}
