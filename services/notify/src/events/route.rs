//! From an event to those who hear of it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use chrono::{DateTime, Utc};
use parlour_contracts::Role;
use parlour_db::Tx;
use parlour_events::{Failure, Incoming};
use serde_json::{Map, Value};
use tracing::Span;
use uuid::Uuid;

use crate::domain::job::Audience;
use crate::domain::{Priority, kinds};
use crate::error::Error;
use crate::state::Notify;
use crate::store::recipients::{self, Recipient};
use crate::store::rules::Route;
use crate::telling::{Message, Saying, Telling, tell_all};

/// People with a role who are told of one event at the most: staff, never everybody.
const STAFF_AT_MOST: i64 = 1000;

/// What an event says, ready to be told.
#[derive(Debug)]
pub(super) struct Story {
    /// The people that it names, by their part in it.
    people: Vec<(&'static str, Uuid)>,
    /// Who did it: of a role's people, they are not told.
    actor: Option<Uuid>,
    variables: Map<String, Value>,
    times: Vec<(&'static str, DateTime<Utc>)>,
    data: Map<String, Value>,
    event_type: String,
    source: Uuid,
    span: Span,
}

impl Default for Story {
    fn default() -> Self {
        Self {
            people: Vec::new(),
            actor: None,
            variables: Map::new(),
            times: Vec::new(),
            data: Map::new(),
            event_type: String::new(),
            source: Uuid::nil(),
            span: Span::none(),
        }
    }
}

impl Story {
    /// Adds somebody who has a part in it, if there is somebody.
    pub(super) fn person(mut self, part: &'static str, id: &str) -> Result<Self, Failure> {
        if let Some(id) = super::some_id(id)? {
            self.people.push((part, id));
        }
        Ok(self)
    }

    /// Who did it.
    pub(super) fn actor(mut self, id: &str) -> Result<Self, Failure> {
        self.actor = super::some_id(id)?;
        Ok(self)
    }

    /// Adds a variable of the templates.
    pub(super) fn says(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.variables.insert(name.to_owned(), value.into());
        self
    }

    /// Adds a time, which everybody is told by their own clock.
    pub(super) fn at(mut self, name: &'static str, ms: i64) -> Result<Self, Failure> {
        let time =
            DateTime::from_timestamp_millis(ms).ok_or_else(|| Failure::poison("a time out of range"))?;
        self.times.push((name, time));
        Ok(self)
    }

    /// Adds something to the notification's data alone.
    pub(super) fn carries(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.data.insert(name.to_owned(), value.into());
        self
    }

    /// Complete: it is `event`'s, and told for it once.
    #[expect(clippy::unnecessary_wraps, reason = "what a reader of events answers")]
    pub(super) fn of<E>(mut self, event: &Incoming<E>) -> Result<Option<Self>, Failure> {
        self.event_type.clone_from(&event.event_type);
        self.source = event.id;
        self.span = Span::current();
        Ok(Some(self))
    }

    fn message(&self, route: &Route) -> Message {
        let kept = kinds::named(&route.kind).map_or(&[][..], |kind| kind.data);
        let mut data = self.data.clone();
        for name in kept {
            if let Some(value) = self.variables.get(*name) {
                data.insert((*name).to_owned(), value.clone());
            }
        }
        Message {
            kind: route.kind.clone(),
            priority: Priority::named(&route.priority).unwrap_or(Priority::Normal),
            required: route.required,
            source: self.source,
            sender: None,
            channels: None,
            expires_at: None,
            saying: Saying::Template {
                name: route.kind.clone(),
                variables: self.variables.clone(),
                times: self.times.clone(),
            },
            data,
            job: None,
        }
    }
}

/// Tells everybody whom the routes of the stories' types name.
pub(super) async fn tell_stories(
    notify: &Arc<Notify>,
    tx: &mut Tx,
    stories: Vec<Story>,
) -> Result<(), Failure> {
    let rules = notify.rules.get(tx).await?;
    let mut staff = Roles::default();
    let mut all: Vec<(Message, Vec<Uuid>, &Span)> = Vec::new();
    for story in &stories {
        // Somebody who is addressed by name is not told again as one of many.
        let mut told: BTreeSet<(&str, Uuid)> = BTreeSet::new();
        let (many, named): (Vec<&Route>, Vec<&Route>) = rules
            .routes(&story.event_type)
            .iter()
            .partition(|route| route.audience.starts_with("role:"));
        for route in named.into_iter().chain(many) {
            let mut people = story.audience(tx, route, &mut staff).await?;
            people.retain(|id| told.insert((&route.kind, *id)));
            if !people.is_empty() {
                all.push((story.message(route), people, &story.span));
            }
        }
    }
    if all.is_empty() {
        return Ok(());
    }
    let ids: BTreeSet<Uuid> = all.iter().flat_map(|(_, people, _)| people).copied().collect();
    let known = recipients::by_id(tx, ids.into_iter().collect()).await?;
    let known: BTreeMap<Uuid, Recipient> = known.into_iter().map(|person| (person.id, person)).collect();
    let tellings = all.iter().map(|(message, people, span)| Telling {
        message,
        people: people.iter().filter_map(|id| known.get(id).cloned()).collect(),
        span: (*span).clone(),
    });
    tell_all(notify, tx, tellings.collect()).await?;
    Ok(())
}

impl Story {
    async fn audience(&self, tx: &mut Tx, route: &Route, staff: &mut Roles) -> Result<Vec<Uuid>, Error> {
        let Some(role) = route.audience.strip_prefix("role:") else {
            let named = self.people.iter().filter(|(part, _)| *part == route.audience);
            return Ok(named.map(|(_, id)| *id).collect());
        };
        let people = staff.people(tx, role).await?;
        Ok(people
            .iter()
            .copied()
            .filter(|id| Some(*id) != self.actor)
            .collect())
    }
}

/// The people of roles, each looked up once.
#[derive(Default)]
struct Roles(BTreeMap<String, Vec<Uuid>>);

impl Roles {
    async fn people(&mut self, tx: &mut Tx, role: &str) -> Result<&[Uuid], Error> {
        if !self.0.contains_key(role) {
            let audience = Audience {
                roles: Some(covering(role)),
                ..Audience::default()
            };
            let people = recipients::next_ids(tx, &audience, Uuid::nil(), STAFF_AT_MOST).await?;
            self.0.insert(role.to_owned(), people);
        }
        Ok(self.0.get(role).map_or(&[], Vec::as_slice))
    }
}

/// The roles that may do what `role` may: what admins hear, owners hear.
pub(crate) fn covering(role: &str) -> Vec<String> {
    let Ok(role) = role.parse::<Role>() else {
        return vec![role.to_owned()];
    };
    Role::ALL
        .into_iter()
        .filter(|other| other.covers(role))
        .map(|other| other.name().to_owned())
        .collect()
}
