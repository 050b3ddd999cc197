//! Pushes to the sockets that are open now, over the realtime exchange.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use futures_util::future::join;
use parlour_contracts::notify::v1::DeliveryFailed;
use parlour_db::{Scope, Tx};
use parlour_events::realtime::{Push, Target};
use serde_json::Value;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use tracing::Span;
use uuid::Uuid;

use crate::channels::{Class, Refused};
use crate::domain::Channel;
use crate::domain::retry::{self, Next};
use crate::error::Error;
use crate::state::Notify;
use crate::store::outcomes;

/// What the push is called on the socket.
const NAME: &str = "notification";

/// A notification, as lists show it, for somebody's open frontends.
pub(crate) fn push(account: Uuid, notification: Value) -> Push {
    Push {
        target: Target::User(account),
        name: NAME.to_owned(),
        payload: notification,
    }
}

/// Pushes that go to the exchange together.
const BATCH: usize = 256;
/// Pushes that are marked together, and how long the first of them waits for others.
const MARKS: usize = 1024;
const MOMENT: Duration = Duration::from_millis(50);

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
    pub push: Push,
    /// What it was decided in, which its trace goes on from.
    pub span: Span,
}

/// Pushes until `stop`, and marks what was pushed.
pub(super) async fn run(
    notify: Arc<Notify>,
    mut pushes: mpsc::Receiver<SocketPush>,
    stop: CancellationToken,
) {
    let (done, marks) = mpsc::channel(MARKS);
    let pushing = async {
        let done = done;
        let mut batch = Vec::with_capacity(BATCH);
        loop {
            tokio::select! {
                biased;
                received = pushes.recv_many(&mut batch, BATCH) => if received == 0 { return },
                () = stop.cancelled() => return,
            }
            push_all(&notify, std::mem::take(&mut batch), &done).await;
        }
    };
    join(pushing, mark(&notify, marks)).await;
}

/// Hands a batch to the exchange. The first refusal is one of all that follow: the broker is away for the
/// others too.
async fn push_all(notify: &Arc<Notify>, mut batch: Vec<SocketPush>, pushed: &mpsc::Sender<Uuid>) {
    let handed: Vec<_> = batch.iter().map(|push| (&push.push, &push.span)).collect();
    let (sent, error) = notify.realtime.send_all(&handed).await;
    metrics::counter!("parlour_notify_deliveries_total", "channel" => "socket", "outcome" => "sent")
        .increment(sent as u64);
    let refused = batch.split_off(sent);
    for push in batch {
        pushed.send(push.delivery_id).await.ok();
    }
    let words = error.map(|error| error.to_string()).unwrap_or_default();
    let now = notify.clock.now();
    for push in refused {
        let (shared, words) = (notify.clone(), words.clone());
        let work =
            async move |tx: &mut Tx| -> Result<(), Error> { refuse(&shared, tx, &push, words, now).await };
        if let Err(error) = notify.db.write(Scope::Service, work).await {
            tracing::warn!(%error, "pushes cannot be marked");
            break;
        }
    }
}

/// Marks what was pushed, together what was pushed within a moment: nobody waits for it, and a
/// transaction for each would cost more than the pushes.
async fn mark(notify: &Arc<Notify>, mut pushed: mpsc::Receiver<Uuid>) {
    let mut ids = Vec::with_capacity(MARKS);
    while pushed.recv_many(&mut ids, MARKS).await > 0 {
        tokio::time::sleep(MOMENT).await;
        while ids.len() < MARKS
            && let Ok(id) = pushed.try_recv()
        {
            ids.push(id);
        }
        let (sent, now) = (std::mem::take(&mut ids), notify.clock.now());
        let work =
            async move |tx: &mut Tx| -> Result<(), Error> { Ok(outcomes::pushed(tx, sent, now).await?) };
        if let Err(error) = notify.db.write(Scope::Service, work).await {
            // They are pushed again when their lease ends, which a frontend knows by the id.
            tracing::warn!(%error, "pushes cannot be marked");
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
            let notification = push
                .push
                .payload
                .get("id")
                .and_then(Value::as_str)
                .unwrap_or_default();
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
