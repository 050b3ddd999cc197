//! Telling people: from what is to be told to rows for each person and channel, in the
//! transaction of whoever tells it. One way for events, senders and jobs.

mod plan;
mod rows;

use std::collections::HashSet;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use futures_util::future::try_join;
use parlour_contracts::id;
use parlour_contracts::notify::v1::NotificationCreated;
use parlour_db::{Conn, DbError, Tx};
use parlour_events::Many;
use serde_json::{Map, Value};
use uuid::Uuid;

use crate::dispatch::{Handover, SocketPush, push};
use crate::domain::decision::Matter;
use crate::domain::{Channel, Priority};
use crate::error::Error;
use crate::state::Notify;
use crate::store::recipients::Recipient;
use crate::store::{contents, deliveries, notifications};
use crate::view;

pub(crate) use plan::Plan;
pub use plan::wishes_of;
pub(crate) use plan::{gone, related};
pub(crate) use rows::{Round, of_round};

/// What is told.
#[derive(Clone, Debug)]
pub struct Message {
    /// Its type.
    pub kind: String,
    /// How much it matters.
    pub priority: Priority,
    /// Whether it ignores preferences and quiet hours.
    pub required: bool,
    /// What caused it; a person is told of one cause once.
    pub source: Uuid,
    /// Who sent it; nobody for the platform.
    pub sender: Option<Uuid>,
    /// The channels asked for.
    pub channels: Option<Vec<Channel>>,
    /// When it has lost its point.
    pub expires_at: Option<DateTime<Utc>>,
    /// Its words.
    pub saying: Saying,
    /// For the frontend.
    pub data: Map<String, Value>,
    /// The shared content that everybody's row refers to; for many people and the same words.
    pub shared: Option<Uuid>,
}

/// The words.
#[derive(Clone, Debug)]
pub enum Saying {
    /// As they are.
    Plain {
        /// The title.
        title: String,
        /// The text.
        message: String,
    },
    /// Those of a template.
    Template {
        /// The type whose templates they are.
        name: String,
        /// What these are filled with.
        variables: Map<String, Value>,
        /// Times among the variables, told by each person's own clock.
        times: Vec<(&'static str, DateTime<Utc>)>,
    },
}

impl Message {
    fn matter(&self) -> Matter<'_> {
        Matter {
            kind: &self.kind,
            priority: self.priority,
            required: self.required,
            channels: self.channels.as_deref(),
            expires_at: self.expires_at,
        }
    }
}

/// What came of it for one person.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Told {
    /// The person.
    pub account_id: Uuid,
    /// The notification.
    pub id: Uuid,
}

/// Tells `people` in `tx`; what is due goes out right after the commit. Answers those who were
/// told: not those who had been told of the same cause before, are blocked, or are gone.
pub async fn tell(
    notify: &Arc<Notify>,
    tx: &mut Tx,
    message: &Message,
    people: Vec<Recipient>,
) -> Result<Vec<Told>, Error> {
    if people.is_empty() {
        return Ok(Vec::new());
    }
    let now = notify.clock.now();
    let rules = notify.rules.get(tx).await?;
    let mut plans = Vec::with_capacity(people.len());
    for person in people {
        if person.status == parlour_directory::DELETED || (person.status == "blocked" && !message.required) {
            continue;
        }
        plans.push(Plan::make(notify, &rules, message, person, now)?);
    }
    let made = insert(notify, tx, message, &plans, now).await?;
    plans.retain(|plan| made.contains(&plan.id));
    let round = Round::first(message, now);
    let (deliveries, handover) = of_round(notify, tx, &round, &plans).await?;
    let events = created(tx, message, &plans)?;
    let conn: &Conn = tx;
    let written = async { Ok(deliveries::insert(conn, deliveries).await?) };
    try_join(written, events.write(conn)).await?;
    after_commit(notify, tx, handover);
    Ok(plans
        .iter()
        .map(|plan| Told {
            account_id: plan.person.id,
            id: plan.id,
        })
        .collect())
}

/// Inserts the notifications and answers those that are new.
async fn insert(
    notify: &Notify,
    tx: &mut Tx,
    message: &Message,
    plans: &[Plan],
    now: DateTime<Utc>,
) -> Result<HashSet<Uuid>, Error> {
    let mut rows = notifications::Insert {
        id: Vec::new(),
        account_id: Vec::new(),
        content_sealed: Vec::new(),
        content_id: Vec::new(),
        skipped: Vec::new(),
        kind: message.kind.clone(),
        priority: message.priority.name(),
        source: message.source,
        sender: message.sender,
        created_at: now,
        expires_at: message.expires_at,
        repeat_at: (message.priority == Priority::Emergency)
            .then(|| now + notify.settings.emergency.pause(0)),
    };
    if let (Some(shared), Some(plan)) = (message.shared, plans.first()) {
        let sealed = plan.content.seal_shared(&notify.vault, shared)?;
        contents::share(tx, shared, sealed, now).await?;
    }
    for plan in plans {
        let own = message.shared.is_none();
        rows.id.push(plan.id);
        rows.account_id.push(plan.person.id);
        rows.content_sealed.push(
            own.then(|| plan.content.seal(&notify.vault, plan.id))
                .transpose()?,
        );
        rows.content_id.push(message.shared);
        rows.skipped.push(plan.skipped());
    }
    if rows.id.is_empty() {
        return Ok(HashSet::new());
    }
    Ok(notifications::insert(tx, rows).await?.into_iter().collect())
}

/// What tells the other services of new notifications.
fn created(tx: &mut Tx, message: &Message, plans: &[Plan]) -> Result<Many, DbError> {
    let events = plans.iter().map(|plan| {
        let account = plan.person.id;
        let event = NotificationCreated {
            notification_id: plan.id.to_string(),
            account_id: account.to_string(),
            kind: message.kind.clone(),
            priority: message.priority.name().to_owned(),
        };
        (format!("account:{account}"), event)
    });
    Many::new(tx, events.collect())
}

/// Hands pushes to the sockets and wakes who sends the rest.
pub(crate) fn after_commit(notify: &Arc<Notify>, tx: &mut Tx, handover: Handover) {
    let outbound = notify.outbound.clone();
    tx.on_commit(move || outbound.hand(handover));
}

impl Plan {
    /// What goes to the person's open frontends.
    fn push(&self, notify: &Notify, message: &Round<'_>, delivery_id: Uuid) -> SocketPush {
        let item = view::Item {
            id: self.id,
            kind: message.kind.to_owned(),
            title: self.content.title.clone(),
            message: self.content.message.clone(),
            data: self.content.data.clone(),
            priority: message.priority,
            is_read: false,
            read_at: None,
            created_at: message.created_at.into(),
            expires_at: message.expires_at.map(Into::into),
        };
        SocketPush {
            delivery_id,
            account_id: self.person.id,
            attempts: 1,
            queued_at: notify.clock.now(),
            expires_at: message.expires_at,
            push: push(self.person.id, serde_json::to_value(item).unwrap_or_default()),
            span: tracing::Span::current(),
        }
    }
}

/// A new notification's id.
fn new_id() -> Uuid {
    id::new()
}
