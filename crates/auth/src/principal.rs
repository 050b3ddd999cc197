//! The caller, as their token tells.

use chrono::{DateTime, Utc};
use parlour_contracts::{Level, Permission, Role};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// The claims of our own access tokens.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Claims {
    /// Issuer.
    pub iss: String,
    /// The account.
    pub sub: Uuid,
    /// Audience.
    pub aud: String,
    /// Issued at, seconds since 1970.
    pub iat: i64,
    /// Expires at, seconds since 1970.
    pub exp: i64,
    /// The token's own id. A `UUIDv7`, whose milliseconds order it against revocations.
    pub jti: Uuid,
    /// The session (sign-in) it belongs to.
    pub sid: Uuid,
    /// Roles by name. Unknown ones are ignored, so that a newer identity can have more.
    pub roles: Vec<String>,
    /// Permissions by name.
    #[serde(default)]
    pub perms: Vec<String>,
    /// Admin level.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lvl: Option<String>,
    /// The country a `country_admin` is limited to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ctry: Option<String>,
}

/// How the caller proved who they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Via {
    /// An access token of ours.
    AccessToken,
    /// An API token of an integration.
    ApiToken,
}

/// A caller who is known.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Principal {
    /// The account.
    pub id: Uuid,
    /// The session, or the API token's own id.
    pub session: Uuid,
    /// What the account is.
    pub roles: Vec<Role>,
    /// What was granted one by one.
    pub permissions: Vec<Permission>,
    /// The admin level.
    pub level: Option<Level>,
    /// The country a `country_admin` is limited to.
    pub country: Option<String>,
    /// How they proved it.
    pub via: Via,
    /// What an API token is limited to, such as `orders:read`; `None` is not limited.
    pub scopes: Option<Vec<String>>,
    /// When the token was issued.
    pub issued_at: DateTime<Utc>,
    /// When the token ends.
    pub expires_at: DateTime<Utc>,
}

impl Principal {
    pub(crate) fn from_claims(claims: &Claims) -> Option<Self> {
        let (seconds, nanos) = claims.jti.get_timestamp()?.to_unix();
        Some(Self {
            id: claims.sub,
            session: claims.sid,
            roles: known(&claims.roles),
            permissions: known(&claims.perms),
            level: claims.lvl.as_deref().and_then(|l| l.parse().ok()),
            country: claims.ctry.clone(),
            via: Via::AccessToken,
            scopes: None,
            issued_at: DateTime::from_timestamp(i64::try_from(seconds).ok()?, nanos)?,
            expires_at: DateTime::from_timestamp(claims.exp, 0)?,
        })
    }

    /// Whether one of their roles may do what `role` may.
    pub fn has(&self, role: Role) -> bool {
        self.roles.iter().any(|mine| mine.covers(role))
    }

    /// Whether they are support, monitor or an admin of any kind.
    pub fn is_staff(&self) -> bool {
        self.roles.iter().any(|role| role.is_staff())
    }

    /// Whether they have a permission: granted, or by being `super_admin` or owner.
    pub fn may(&self, permission: Permission) -> bool {
        self.has(Role::SuperAdmin) || self.permissions.contains(&permission)
    }

    /// Whether their token's scopes reach `service` for reading or writing.
    pub fn in_scope(&self, service: &str, write: bool) -> bool {
        let Some(scopes) = &self.scopes else {
            return true;
        };
        scopes.iter().any(|scope| match scope.split_once(':') {
            Some((name, "write")) => name == service,
            Some((name, "read")) => name == service && !write,
            _ => false,
        })
    }
}

fn known<T: std::str::FromStr>(names: &[String]) -> Vec<T> {
    names.iter().filter_map(|name| name.parse().ok()).collect()
}
