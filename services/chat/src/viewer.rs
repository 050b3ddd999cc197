//! What a caller is to conversations.

use parlour_auth::Principal;
use parlour_contracts::{Level, Role};
use parlour_db::Scope;
use uuid::Uuid;

use crate::domain::opening::Party;

/// Somebody who reads.
#[derive(Clone, Debug)]
pub struct Viewer {
    /// Their account.
    pub id: Uuid,
    sees_all: bool,
    /// The only country whose people's conversations an admin sees besides their own.
    country: Option<String>,
}

impl From<&Principal> for Viewer {
    fn from(principal: &Principal) -> Self {
        let monitor = principal.has(Role::Monitor);
        let bound = principal.level == Some(Level::CountryAdmin) && !principal.has(Role::SuperAdmin);
        // A country's admin whose country is not set yet has none.
        let country = principal.country.clone().unwrap_or_default();
        Self {
            id: principal.id,
            sees_all: monitor || principal.has(Role::Admin),
            country: (bound && !monitor).then_some(country),
        }
    }
}

impl Viewer {
    /// Somebody who sees what they take part in and nothing else.
    pub fn participant(id: Uuid) -> Self {
        Self {
            id,
            sees_all: false,
            country: None,
        }
    }

    /// Whether they read conversations that they take no part in.
    pub fn sees_all(&self) -> bool {
        self.sees_all
    }

    /// The only country that they see, if they are bound to one.
    pub fn country(&self) -> Option<&str> {
        self.country.as_deref()
    }

    /// On whose behalf their reads run.
    pub fn scope(&self) -> Scope {
        if self.sees_all {
            Scope::Service
        } else {
            Scope::Person(self.id)
        }
    }
}

/// Somebody who writes.
#[derive(Clone, Debug)]
pub struct Sender {
    /// Their account.
    pub id: Uuid,
    /// Whether they may speak for the platform.
    pub staff: bool,
    /// Whether their voice notes are looked at first.
    pub reader: bool,
}

impl From<&Principal> for Sender {
    fn from(principal: &Principal) -> Self {
        Self {
            id: principal.id,
            staff: principal.is_staff(),
            reader: principal.has(Role::Reader) || principal.has(Role::Guide),
        }
    }
}

/// What somebody with these roles is when conversations are opened.
pub fn party(roles: impl IntoIterator<Item = Role>) -> Party {
    let mut party = Party::Client;
    for role in roles {
        if role.is_staff() {
            return Party::Staff;
        }
        if matches!(role, Role::Reader | Role::Guide) {
            party = Party::Reader;
        }
    }
    party
}
