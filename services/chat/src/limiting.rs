//! The limit of somebody's messages, the same for REST and sockets and over all replicas.

use std::time::Duration;

use parlour_http::{Limit, RateClass};

use crate::error::Error;
use crate::state::Chat;
use crate::store::sending::{self, Bucket, Count};
use crate::viewer::Sender;

/// What is left of a limit.
#[derive(Clone, Copy, Debug)]
pub struct Left {
    /// The figure.
    pub limit: Limit,
    /// How many more may come at once now.
    pub remaining: u32,
    /// When there is one more.
    pub reset: Duration,
}

/// Counts a message that was refused because of its conversation, so that nobody
/// tries doors for nothing. Answers the refusal, or that it was one too many.
pub async fn charged<E: From<Error>>(chat: &Chat, sender: &Sender, refusal: E) -> E {
    let Some((bucket, limit)) = bucket(chat, sender) else {
        return refusal;
    };
    match sending::take(&chat.db, &bucket).await {
        Ok((false, count)) => limited(limit, count).into(),
        Ok((true, _)) => refusal,
        Err(failed) => Error::from(failed).into(),
    }
}

/// The bucket of somebody's messages, the same for REST and sockets and over all replicas.
pub fn bucket(chat: &Chat, sender: &Sender) -> Option<(Bucket, Limit)> {
    let limit = chat.limits.get(RateClass::Message)?;
    let bucket = Bucket {
        id: chat
            .vault
            .blind_index(RateClass::Message.name(), &sender.id.to_string()),
        window: f64::from(limit.seconds),
        most: i32::try_from(limit.requests).unwrap_or(i32::MAX),
    };
    Some((bucket, limit))
}

/// The refusal of one message too many.
pub fn limited(limit: Limit, count: Count) -> Error {
    Error::Limited {
        limit,
        after: Duration::from_secs_f64(count.wait.max(0.001)),
    }
}

/// What is left of `limit`.
pub fn left(limit: Limit, count: Count) -> Left {
    let used = u32::try_from(count.used).unwrap_or_default();
    Left {
        limit,
        remaining: limit.requests.saturating_sub(used),
        reset: Duration::from_secs_f64(count.wait.max(0.0)),
    }
}
