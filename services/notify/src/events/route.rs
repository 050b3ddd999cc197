//! From an event to those who hear of it.

use std::collections::BTreeSet;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use parlour_contracts::Role;
use parlour_db::Tx;
use parlour_events::{Failure, Incoming};
use serde_json::{Map, Value};
use uuid::Uuid;

use crate::domain::job::Audience;
use crate::domain::{Priority, kinds};
use crate::error::Error;
use crate::state::Notify;
use crate::store::recipients;
use crate::store::rules::Route;
use crate::telling::{Message, Saying, tell};

/// People with a role who are told of one event at the most: staff, never everybody.
const STAFF_AT_MOST: i64 = 1000;

/// What an event says, ready to be told.
#[derive(Debug, Default)]
pub(super) struct Story {
    /// The people that it names, by their part in it.
    people: Vec<(&'static str, Uuid)>,
    /// Who did it: of a role's people, they are not told.
    actor: Option<Uuid>,
    variables: Map<String, Value>,
    times: Vec<(&'static str, DateTime<Utc>)>,
    data: Map<String, Value>,
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

    /// Tells everybody whom the routes of the event's type name.
    pub(super) async fn tell<E>(
        self,
        notify: &Arc<Notify>,
        tx: &mut Tx,
        event: &Incoming<E>,
    ) -> Result<(), Failure> {
        self.tell_as(notify, tx, &event.event_type, event.id).await
    }

    async fn tell_as(
        self,
        notify: &Arc<Notify>,
        tx: &mut Tx,
        event_type: &str,
        source: Uuid,
    ) -> Result<(), Failure> {
        let rules = notify.rules.get(tx).await?;
        // Somebody who is addressed by name is not told again as one of many.
        let mut told: BTreeSet<(String, Uuid)> = BTreeSet::new();
        let (many, named): (Vec<&Route>, Vec<&Route>) = rules
            .routes(event_type)
            .iter()
            .partition(|route| route.audience.starts_with("role:"));
        for route in named.into_iter().chain(many) {
            let mut people = self.audience(tx, route).await?;
            people.retain(|id| told.insert((route.kind.clone(), *id)));
            if !people.is_empty() {
                let message = self.message(route, source);
                let people = recipients::by_id(tx, people).await?;
                tell(notify, tx, &message, people).await?;
            }
        }
        Ok(())
    }

    async fn audience(&self, tx: &mut Tx, route: &Route) -> Result<Vec<Uuid>, Error> {
        let Some(role) = route.audience.strip_prefix("role:") else {
            let named = self.people.iter().filter(|(part, _)| *part == route.audience);
            return Ok(named.map(|(_, id)| *id).collect());
        };
        let audience = Audience {
            roles: Some(covering(role)),
            ..Audience::default()
        };
        let people = recipients::next(tx, &audience, Uuid::nil(), STAFF_AT_MOST).await?;
        Ok(people
            .into_iter()
            .map(|person| person.id)
            .filter(|id| Some(*id) != self.actor)
            .collect())
    }

    fn message(&self, route: &Route, source: Uuid) -> Message {
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
            source,
            sender: None,
            channels: None,
            expires_at: None,
            saying: Saying::Template {
                name: route.kind.clone(),
                variables: self.variables.clone(),
                times: self.times.clone(),
            },
            data,
            shared: None,
        }
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
