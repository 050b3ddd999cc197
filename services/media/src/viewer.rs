//! What a caller is to files.

use parlour_auth::Principal;
use parlour_contracts::Role;
use parlour_db::Scope;
use uuid::Uuid;

/// A caller.
#[derive(Clone, Copy, Debug)]
pub struct Viewer {
    /// Their account.
    pub id: Uuid,
    /// Whether they review results and conversations.
    pub reviews: bool,
}

impl From<&Principal> for Viewer {
    fn from(principal: &Principal) -> Self {
        Self {
            id: principal.id,
            reviews: principal.has(Role::Monitor) || principal.has(Role::Admin),
        }
    }
}

impl Viewer {
    /// On whose behalf their transactions run.
    pub fn scope(&self) -> Scope {
        if self.reviews {
            Scope::Service
        } else {
            Scope::Person(self.id)
        }
    }
}
