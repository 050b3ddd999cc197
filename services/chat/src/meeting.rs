//! Who may open a conversation with whom, and the conversations that there are once.

use std::collections::HashSet;

use parlour_auth::Principal;
use parlour_contracts::Role;
use parlour_db::Tx;
use parlour_directory::{Person, find_many};
use parlour_events::Batch;
use parlour_http::{ApiError, Origin};
use serde_json::{Map, Value, json};
use uuid::Uuid;

use crate::domain::kinds::SessionKind;
use crate::domain::opening::{Party, may_open};
use crate::error::Error;
use crate::opening::Opening;
use crate::state::Chat;
use crate::store::{bookings, sessions};
use crate::telling;
use crate::viewer::party;

/// Somebody who opens a conversation.
#[derive(Clone, Debug)]
pub struct Opener {
    /// Their account.
    pub id: Uuid,
    role: Role,
    party: Party,
    /// Whether they see every conversation.
    sees_all: bool,
}

impl From<&Principal> for Opener {
    fn from(principal: &Principal) -> Self {
        Self {
            id: principal.id,
            role: principal.roles.iter().max().copied().unwrap_or(Role::Client),
            party: party(principal.roles.iter().copied()),
            sees_all: principal.has(Role::Monitor) || principal.has(Role::Admin),
        }
    }
}

impl Opener {
    /// What they are to a conversation.
    pub fn role(&self) -> &'static str {
        self.role.name()
    }
}

/// What somebody would like to open.
#[derive(Debug)]
pub struct Wish {
    /// What about.
    pub kind: SessionKind,
    /// With these.
    pub others: Vec<Uuid>,
    /// Whether it takes encrypted messages only.
    pub encrypted: bool,
    /// What the frontend keeps with it.
    pub metadata: Option<Map<String, Value>>,
}

/// The highest role of somebody.
fn role_of(person: &Person) -> Role {
    let roles = person.roles.iter().filter_map(|name| name.parse().ok());
    roles.max().unwrap_or(Role::Client)
}

impl Chat {
    /// Opens what somebody wishes, or finds the direct conversation that there is. Answers it
    /// and whether it is new. `tx` has to be the service's.
    pub async fn meet(
        &self,
        tx: &mut Tx,
        opener: &Opener,
        wish: Wish,
        origin: &Origin,
    ) -> Result<(Uuid, bool), Error> {
        let others = known(tx, opener.id, &wish.others).await?;
        admissible(tx, opener, &others).await?;
        let session = parlour_contracts::id::new();
        if wish.kind == SessionKind::Direct
            && let [other] = wish.others.as_slice()
        {
            let found = sessions::direct(tx, opener.id, *other, session).await?;
            if found != session {
                return Ok((found, false));
            }
        }
        let mut people = vec![(opener.id, opener.role().to_owned())];
        people.extend(
            others
                .iter()
                .map(|person| (person.id, role_of(person).name().to_owned())),
        );
        let after = json!({ "session_type": wish.kind.name(), "participants": people.len() });
        let opening = Opening {
            kind: wish.kind,
            booking_id: None,
            people,
            encrypted: wish.encrypted,
            metadata: wish.metadata,
            actor: Some(opener.id),
        };
        self.open_session_as(tx, session, opening).await?;
        let target = ("session", session.to_string());
        let line = telling::entry(origin, "session.create", target, (None, Some(after)));
        Batch::default().audit(line).write(tx).await?;
        Ok((session, true))
    }

    /// The conversation of an order, for its client, its reader, and those who see all.
    pub async fn booking_session(&self, tx: &mut Tx, opener: &Opener, booking: Uuid) -> Result<Uuid, Error> {
        let found = bookings::find(tx, booking).await?;
        let unknown = || Error::from(ApiError::not_found());
        let found = found.ok_or_else(unknown)?;
        let theirs = found.client_id == opener.id || found.reader_id == Some(opener.id);
        if !theirs && !opener.sees_all {
            return Err(unknown());
        }
        found
            .session_id
            .ok_or(Error::Conflict("Nobody works on this order yet."))
    }
}

/// The others, who have to be accounts that are in use, each once, and not the opener.
async fn known(tx: &mut Tx, opener: Uuid, others: &[Uuid]) -> Result<Vec<Person>, Error> {
    let mut found = find_many(tx, others).await?;
    let mut people = Vec::with_capacity(others.len());
    let mut wrong = Vec::new();
    for (index, id) in others.iter().enumerate() {
        match found.remove(id) {
            _ if *id == opener => wrong.push(format!("participants[{index}]: cannot be yourself")),
            Some(person) if person.status == "active" || person.status == "pending" => people.push(person),
            _ => wrong.push(format!(
                "participants[{index}]: is not an account, or stands there twice"
            )),
        }
    }
    if wrong.is_empty() {
        Ok(people)
    } else {
        Err(ApiError::validation(wrong).into())
    }
}

/// Whether everybody may talk with everybody, as far as the opener can bring them together.
async fn admissible(tx: &mut Tx, opener: &Opener, others: &[Person]) -> Result<(), Error> {
    if opener.party == Party::Staff {
        return Ok(());
    }
    let party_of = |person: &Person| {
        let roles: Vec<Role> = person.roles.iter().filter_map(|name| name.parse().ok()).collect();
        (person.id, party(roles))
    };
    let mut all = vec![(opener.id, opener.party)];
    all.extend(others.iter().map(party_of));
    let ids: Vec<Uuid> = all.iter().map(|(id, _)| *id).collect();
    let sharing: HashSet<(Uuid, Uuid)> = sessions::sharing(tx, &ids).await?.into_iter().collect();
    for (index, (one, first)) in all.iter().enumerate() {
        for (other, second) in all.iter().skip(index + 1) {
            let share = sharing.contains(&(*one.min(other), *one.max(other)));
            if !may_open(*first, *second, share) {
                return Err(Error::Forbidden(
                    "these people have neither a group nor an order in common",
                ));
            }
        }
    }
    Ok(())
}
