//! Tokens that ended before their time.

use std::collections::HashMap;
use std::sync::{PoisonError, RwLock};

use chrono::{DateTime, Duration, Utc};
use serde::{Deserialize, Serialize};
use tokio::sync::watch;
use uuid::Uuid;

use crate::Principal;

/// What has ended: one session, or every token of an account that was issued before a moment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Revocation {
    /// Whose.
    pub account: Uuid,
    /// The one session; `None` means all of the account's.
    pub session: Option<Uuid>,
    /// Tokens issued at this moment or later are not meant.
    pub not_before: DateTime<Utc>,
    /// A session that goes on when all others end.
    pub except: Option<Uuid>,
}

/// The list that every process keeps. An entry is needed only as long as a token
/// it is about could still be alive.
pub struct Revocations {
    entries: RwLock<Entries>,
    keep: Duration,
    caught_up: watch::Sender<bool>,
    changed: watch::Sender<u64>,
}

#[derive(Default)]
struct Entries {
    sessions: HashMap<Uuid, DateTime<Utc>>,
    accounts: HashMap<Uuid, Vec<Revocation>>,
    pruned_at: DateTime<Utc>,
}

impl Revocations {
    /// An empty list that does not count as complete yet. `lifetime` is how long an access token lives.
    pub fn new(lifetime: std::time::Duration) -> Self {
        Self {
            entries: RwLock::default(),
            keep: Duration::from_std(lifetime).unwrap_or(Duration::hours(1)) + Duration::minutes(1),
            caught_up: watch::Sender::new(false),
            changed: watch::Sender::new(0),
        }
    }

    /// Adds one.
    pub fn add(&self, revocation: Revocation) {
        let now = Utc::now();
        let mut entries = self.entries.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(session) = revocation.session {
            entries.sessions.insert(session, now);
        } else {
            let of_account = entries.accounts.entry(revocation.account).or_default();
            if !of_account.contains(&revocation) {
                of_account.push(revocation);
            }
        }
        if now - entries.pruned_at > Duration::minutes(1) {
            self.prune(&mut entries, now);
        }
        drop(entries);
        self.changed.send_modify(|count| *count += 1);
    }

    fn prune(&self, entries: &mut Entries, now: DateTime<Utc>) {
        let oldest = now - self.keep;
        entries.pruned_at = now;
        entries.sessions.retain(|_, at| *at > oldest);
        entries.accounts.retain(|_, list| {
            list.retain(|r| r.not_before > oldest);
            !list.is_empty()
        });
    }

    /// Whether the principal's token was ended.
    pub fn is_revoked(&self, principal: &Principal) -> bool {
        let entries = self.entries.read().unwrap_or_else(PoisonError::into_inner);
        if entries.sessions.contains_key(&principal.session) {
            return true;
        }
        entries.accounts.get(&principal.id).is_some_and(|list| {
            list.iter()
                .any(|r| principal.issued_at < r.not_before && r.except != Some(principal.session))
        })
    }

    /// Whether everything that identity revoked is known here. While it is not, identity has to be asked.
    pub fn is_complete(&self) -> bool {
        *self.caught_up.borrow()
    }

    /// Says whether the list is complete: false at once when the events stop coming, true after a catch-up.
    pub fn set_complete(&self, complete: bool) {
        self.caught_up.send_replace(complete);
    }

    /// Tells of every change, for those that hold connections open on behalf of a token.
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.changed.subscribe()
    }
}
