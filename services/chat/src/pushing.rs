//! What is told to the sockets of all replicas after the commit: those of this process at once, the others over the
//! realtime exchange.
//! The payloads are those of `proto/parlour/realtime/v1/pushes.proto`.

use parlour_db::Tx;
use parlour_events::Realtime;
use parlour_events::realtime::{Afar, Push, Target};
use parlour_http::Time;
use serde::Serialize;
use serde_json::{Map, Value};
use tokio::sync::mpsc;
use tokio::sync::mpsc::error::TrySendError;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

/// Pushes that go to the exchange together.
const BATCH: usize = 256;

/// The way from a commit to the sockets. Cheap to clone.
#[derive(Clone)]
pub struct Pusher {
    realtime: Realtime,
    waiting: mpsc::Sender<Afar>,
}

impl Pusher {
    /// A way on which `most` pushes may wait for the exchange, and its end for [`run`].
    pub fn new(realtime: Realtime, most: usize) -> (Self, mpsc::Receiver<Afar>) {
        let (waiting, receiver) = mpsc::channel(most);
        (Self { realtime, waiting }, receiver)
    }

    /// Tells the sockets of this process, and has the others told. Never waits: a push that does not fit
    /// any more is dropped for the others, who see the gap in the numbers.
    pub fn push(&self, target: Target, name: &str, payload: &impl Serialize) {
        let payload = match serde_json::to_value(payload) {
            Ok(payload) => payload,
            Err(error) => {
                tracing::error!(%error, name, "a push cannot be written");
                return;
            }
        };
        let name = name.to_owned();
        let push = Push {
            target,
            name,
            payload,
        };
        let afar = self.realtime.tell_here(push);
        // When the process ends nobody is there any more to take it.
        if let Err(TrySendError::Full(_)) = self.waiting.try_send(afar) {
            tracing::warn!("the broker is behind: a push is dropped");
        }
    }

    /// Hands a push over once the transaction has committed.
    pub fn on_commit(
        &self,
        tx: &mut Tx,
        target: Target,
        name: &'static str,
        payload: impl Serialize + Send + 'static,
    ) {
        let pusher = self.clone();
        tx.on_commit(move || pusher.push(target, name, &payload));
    }
}

/// Sends what waits for the exchange, until `stop`. What that does not take is lost for other processes,
/// as what travels over it may be: they find the gap in the numbers.
pub async fn run(realtime: Realtime, mut waiting: mpsc::Receiver<Afar>, stop: CancellationToken) {
    let mut batch = Vec::with_capacity(BATCH);
    loop {
        tokio::select! {
            biased;
            received = waiting.recv_many(&mut batch, BATCH) => if received == 0 { return },
            () = stop.cancelled() => return,
        }
        let count = batch.len();
        if let Err(error) = realtime.send_afar(batch.drain(..)).await {
            tracing::debug!(%error, count, "other processes may not have heard of pushes");
        }
    }
}

/// `{id, name, avatar}`
#[derive(Clone, Debug, Serialize)]
#[expect(missing_docs, reason = "pushes.proto documents them")]
pub struct PushPerson {
    pub id: Uuid,
    pub name: String,
    pub avatar: Option<String>,
}

/// `new_message`
#[derive(Clone, Debug, Serialize)]
#[expect(missing_docs, reason = "pushes.proto documents them")]
pub struct NewMessagePush {
    pub id: Uuid,
    pub session_id: Uuid,
    pub seq: Option<i64>,
    pub content: String,
    #[serde(rename = "type")]
    pub kind: &'static str,
    pub sender: PushPerson,
    pub timestamp: Time,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file_id: Option<Uuid>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file_url: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file_size: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metadata: Option<Map<String, Value>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_id: Option<String>,
    pub state: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub origin: Option<String>,
}

/// `messages_read`
#[derive(Clone, Debug, Serialize)]
#[expect(missing_docs, reason = "pushes.proto documents them")]
pub struct MessagesReadPush {
    pub session_id: Uuid,
    pub user_id: Uuid,
    pub message_id: Uuid,
    pub seq: i64,
}

/// `message_reaction_update`
#[derive(Clone, Debug, Serialize)]
#[expect(missing_docs, reason = "pushes.proto documents them")]
pub struct ReactionPush {
    pub message_id: Uuid,
    pub session_id: Uuid,
    pub seq: i64,
    pub user_id: Uuid,
    pub user_name: String,
    pub reaction: String,
    pub action: &'static str,
}

/// `message_removed`
#[derive(Clone, Debug, Serialize)]
#[expect(missing_docs, reason = "pushes.proto documents them")]
pub struct MessageRemovedPush {
    pub session_id: Uuid,
    pub message_id: Uuid,
    pub seq: Option<i64>,
}

/// `session_locked`, `session_unlocked`
#[derive(Clone, Debug, Serialize)]
#[expect(missing_docs, reason = "pushes.proto documents them")]
pub struct SessionLockedPush {
    pub session_id: Uuid,
    pub status: &'static str,
}

/// `session_terminated`, `session_left`
#[derive(Clone, Debug, Serialize)]
#[expect(missing_docs, reason = "pushes.proto documents them")]
pub struct SessionPush {
    pub session_id: Uuid,
}

/// `session_joined`
#[derive(Clone, Debug, Serialize)]
#[expect(missing_docs, reason = "pushes.proto documents them")]
pub struct SessionJoinedPush {
    pub session_id: Uuid,
    pub session_type: String,
}
