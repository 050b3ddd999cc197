//! Telling people: from what is to be told to rows for each person and channel, in the
//! transaction of whoever tells it. One way for events, senders and jobs.

mod events;
mod plan;
mod rows;

use std::collections::HashSet;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use futures_util::future::try_join3;
use parlour_contracts::id;
use parlour_db::{Conn, Tx};
use serde_json::{Map, Value};
use tracing::Span;
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
pub(crate) use rows::{Case, Round, deliveries_of};

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
    /// The job that tells it to many. The other services hear of each of its steps, and not of each person.
    pub job: Option<Uuid>,
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
    /// The content that everybody's row refers to: a job's words, where they are the same for all.
    fn shared(&self) -> Option<Uuid> {
        match self.saying {
            Saying::Plain { .. } => self.job,
            Saying::Template { .. } => None,
        }
    }

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

/// Something to be told to some people.
pub struct Telling<'m> {
    /// What.
    pub message: &'m Message,
    /// To whom.
    pub people: Vec<Recipient>,
    /// What caused it; the trace goes on from there.
    pub span: Span,
}

/// Tells `people` in `tx`; what is due goes out right after the commit. Answers those who were
/// told: not those who had been told of the same cause before, are blocked, or are gone.
pub async fn tell(
    notify: &Arc<Notify>,
    tx: &mut Tx,
    message: &Message,
    people: Vec<Recipient>,
) -> Result<Vec<Told>, Error> {
    let span = Span::current();
    let telling = Telling {
        message,
        people,
        span,
    };
    tell_all(notify, tx, vec![telling]).await
}

/// The same for many messages, in as many statements as for one.
pub async fn tell_all(
    notify: &Arc<Notify>,
    tx: &mut Tx,
    tellings: Vec<Telling<'_>>,
) -> Result<Vec<Told>, Error> {
    let now = notify.clock.now();
    let (rows, mut cases) = plan(notify, tx, tellings, now).await?;
    if cases.is_empty() {
        return Ok(Vec::new());
    }
    let made: HashSet<Uuid> = notifications::insert(tx, rows).await?.into_iter().collect();
    cases.retain(|case| made.contains(&case.plan.id));
    let (deliveries, handover) = deliveries_of(notify, tx, &cases, now).await?;
    let (created, advanced) = (events::created(tx, &cases)?, events::advanced(tx, &cases)?);
    let conn: &Conn = tx;
    let written = async { Ok(deliveries::insert(conn, deliveries).await?) };
    try_join3(written, created.write(conn), advanced.write(conn)).await?;
    after_commit(notify, tx, handover);
    Ok(cases
        .iter()
        .map(|case| Told {
            account_id: case.plan.person.id,
            id: case.plan.id,
        })
        .collect())
}

/// Decides about everybody who may be told anything, and makes the rows of their notifications.
async fn plan<'m>(
    notify: &Notify,
    tx: &mut Tx,
    tellings: Vec<Telling<'m>>,
    now: DateTime<Utc>,
) -> Result<(notifications::Insert, Vec<Case<'m>>), Error> {
    let rules = notify.rules.get(tx).await?;
    let mut rows = notifications::Insert::at(now);
    let mut cases = Vec::new();
    for Telling {
        message,
        people,
        span,
    } in tellings
    {
        let before = cases.len();
        for person in people {
            if person.status == parlour_directory::DELETED
                || (person.status == "blocked" && !message.required)
            {
                continue;
            }
            let plan = Plan::make(notify, &rules, message, person, now)?;
            push_row(notify, &mut rows, message, &plan, now)?;
            cases.push(Case {
                round: Round::first(message, now),
                plan,
                job: message.job,
                span: span.clone(),
            });
        }
        if let (Some(shared), Some(case)) = (message.shared(), cases.get(before)) {
            let sealed = case.plan.content.seal_shared(&notify.vault, shared)?;
            contents::share(tx, shared, sealed, now).await?;
        }
    }
    Ok((rows, cases))
}

fn push_row(
    notify: &Notify,
    rows: &mut notifications::Insert,
    message: &Message,
    plan: &Plan,
    now: DateTime<Utc>,
) -> Result<(), Error> {
    let sealed = match message.shared() {
        Some(_) => None,
        None => Some(plan.content.seal(&notify.vault, plan.id)?),
    };
    let emergency = message.priority == Priority::Emergency;
    rows.id.push(plan.id);
    rows.account_id.push(plan.person.id);
    rows.content_sealed.push(sealed);
    rows.content_id.push(message.shared());
    rows.skipped.push(plan.skipped());
    rows.kind.push(message.kind.clone());
    rows.priority.push(message.priority.name());
    rows.source.push(message.source);
    rows.sender.push(message.sender);
    rows.expires_at.push(message.expires_at);
    rows.repeat_at
        .push(emergency.then(|| now + notify.settings.emergency.pause(0)));
    Ok(())
}

/// Hands pushes to the sockets and wakes who sends the rest.
pub(crate) fn after_commit(notify: &Arc<Notify>, tx: &mut Tx, handover: Handover) {
    let outbound = notify.outbound.clone();
    tx.on_commit(move || outbound.hand(handover));
}

impl Case<'_> {
    /// What goes to the person's open frontends.
    fn push(&self, notify: &Notify, delivery_id: Uuid) -> SocketPush {
        let (plan, round) = (&self.plan, &self.round);
        let item = view::Item {
            id: plan.id,
            kind: round.kind.to_owned(),
            title: plan.content.title.clone(),
            message: plan.content.message.clone(),
            data: plan.content.data.clone(),
            priority: round.priority,
            is_read: false,
            read_at: None,
            created_at: round.created_at.into(),
            expires_at: round.expires_at.map(Into::into),
        };
        SocketPush {
            delivery_id,
            account_id: plan.person.id,
            attempts: 1,
            queued_at: notify.clock.now(),
            expires_at: round.expires_at,
            push: push(plan.person.id, serde_json::to_value(item).unwrap_or_default()),
            span: self.span.clone(),
        }
    }
}

/// A new notification's id.
fn new_id() -> Uuid {
    id::new()
}
