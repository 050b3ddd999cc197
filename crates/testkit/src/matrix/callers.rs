//! Those who try every door.

use std::net::Ipv4Addr;

use parlour_contracts::{Permission, Role};
use parlour_http::{Access, Route};
use uuid::Uuid;

use crate::App;

/// What a caller is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Sends no token.
    Nobody,
    /// Has this role alone.
    Role(Role),
    /// Is a client who was granted this permission.
    Permission(Permission),
    /// An owner's API token for no service that exists.
    Unscoped,
    /// An owner's token whose session has ended.
    Revoked,
    /// Sends what looks like a token.
    Forged,
}

/// Somebody who calls.
pub(super) struct Caller {
    pub(super) kind: Kind,
    pub(super) name: String,
    pub(super) token: Option<String>,
    pub(super) address: Ipv4Addr,
}

/// All of them.
pub(super) struct Cast {
    pub(super) callers: Vec<Caller>,
    /// An account that takes no part: its id is in other people's paths.
    pub(super) bystander: Uuid,
}

impl Cast {
    /// Those that `routes` can tell apart.
    pub(super) async fn assemble(app: &App, routes: &[&Route]) -> Self {
        let mut kinds = vec![Kind::Nobody];
        kinds.extend(Role::ALL.map(Kind::Role));
        for permission in Permission::ALL {
            if routes
                .iter()
                .any(|route| route.access == Access::Permission(permission))
            {
                kinds.push(Kind::Permission(permission));
            }
        }
        kinds.extend([Kind::Unscoped, Kind::Revoked, Kind::Forged]);
        let mut callers = Vec::new();
        for kind in kinds {
            callers.push(Caller::new(app, kind).await);
        }
        Self {
            callers,
            bystander: app.person("client").await.id,
        }
    }
}

impl Caller {
    async fn new(app: &App, kind: Kind) -> Self {
        let (token, address) = token(app, kind).await;
        Self {
            kind,
            name: kind.name(),
            token,
            address,
        }
    }

    /// Puts somebody of the same kind in their place.
    pub(super) async fn renew(&mut self, app: &App) {
        (self.token, self.address) = token(app, self.kind).await;
    }
}

impl Kind {
    fn name(self) -> String {
        match self {
            Self::Nobody => "nobody".to_owned(),
            Self::Role(role) => role.name().to_owned(),
            Self::Permission(permission) => permission.name().to_owned(),
            Self::Unscoped => "token without scope".to_owned(),
            Self::Revoked => "ended session".to_owned(),
            Self::Forged => "forged token".to_owned(),
        }
    }
}

async fn token(app: &App, kind: Kind) -> (Option<String>, Ipv4Addr) {
    let nowhere = Ipv4Addr::new(192, 0, 2, 1);
    let (roles, permissions) = match &kind {
        Kind::Nobody => return (None, nowhere),
        Kind::Forged => return (Some("eyJhbGciOiJub25lIn0.e30.".to_owned()), nowhere),
        Kind::Role(role) => (vec![*role], vec![]),
        Kind::Permission(permission) => (vec![Role::Client], vec![*permission]),
        Kind::Unscoped | Kind::Revoked => (vec![Role::Owner], vec![]),
    };
    let person = app.person_with(&roles, &permissions).await;
    let token = match kind {
        Kind::Unscoped => app.api_token(&person, &["nowhere:write"]).await,
        Kind::Revoked => {
            app.sign_out(&person).await;
            person.token
        }
        _ => person.token,
    };
    (Some(token), person.address)
}
