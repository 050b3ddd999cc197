//! `PUT /api/admin/users/{id}/roles`, `PUT /api/admin/users/{id}/permissions`

use std::collections::BTreeMap;

use parlour_auth::Principal;
use parlour_contracts::identity::v1::RolesChanged;
use parlour_contracts::{Level, Permission, Role};
use parlour_db::{Scope, Tx};
use parlour_http::{
    ApiError, Check, Json, Once, Origin, PathId, Problems, RateClass, Reply, Routes, State, Success,
    SuperAdmin,
};
use serde::Deserialize;
use serde_json::json;
use utoipa::ToSchema;
use uuid::Uuid;

use super::users::{UserDetailData, detail};
use crate::domain::country;
use crate::domain::grants::{self, Powers};
use crate::error::Error;
use crate::state::Identity;
use crate::store::accounts::{self, Account};
use crate::store::profiles;

/// Registers the routes.
pub fn route(routes: Routes) -> Routes {
    routes
        .add::<__path_set_roles, _, _, _>(RateClass::General, set_roles)
        .add::<__path_set_powers, _, _, _>(RateClass::General, set_powers)
}

/// The roles that the account has from now on.
#[derive(Debug, Deserialize, ToSchema)]
pub struct SetRoles {
    /// Names or aliases.
    #[schema(min_items = 1, max_items = 8)]
    pub roles: Vec<String>,
}

impl Check for SetRoles {
    fn check(&self, problems: &mut Problems) {
        for (index, name) in self.roles.iter().enumerate() {
            let fine = name.parse::<Role>().is_ok();
            problems.require(fine, &format!("roles[{index}]"), "is not a role");
        }
    }
}

/// Level, country and permissions that the account has from now on.
#[derive(Debug, Deserialize, ToSchema)]
pub struct SetPowers {
    /// `owner`, `country_admin`, `l1`, `l2`, `l3`, `support`, or null for none.
    #[schema(value_type = Option<String>)]
    pub level: Option<Level>,
    /// ISO 3166-1 alpha-2; needed by `country_admin`.
    #[schema(max_length = 2)]
    pub country: Option<String>,
    /// A list of names, or an object such as `{"canBanUsers": true}`.
    #[serde(default)]
    pub permissions: PermissionSet,
}

/// Permissions as a list of names or as an object of switches.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(untagged)]
pub enum PermissionSet {
    /// `["ban_users"]`
    Names(Vec<String>),
    /// `{"canBanUsers": true}`
    Switches(BTreeMap<String, bool>),
}

impl Default for PermissionSet {
    fn default() -> Self {
        Self::Names(Vec::new())
    }
}

impl PermissionSet {
    fn names(&self) -> Vec<&str> {
        match self {
            Self::Names(names) => names.iter().map(String::as_str).collect(),
            Self::Switches(switches) => {
                let on = switches.iter().filter(|(_, on)| **on);
                on.map(|(name, _)| name.as_str()).collect()
            }
        }
    }

    fn all_names(&self) -> Vec<&str> {
        match self {
            Self::Names(names) => names.iter().map(String::as_str).collect(),
            Self::Switches(switches) => switches.keys().map(String::as_str).collect(),
        }
    }
}

impl Check for SetPowers {
    fn check(&self, problems: &mut Problems) {
        for name in self.permissions.all_names() {
            let fine = name.parse::<Permission>().is_ok();
            problems.require(fine, "permissions", "contains a name that is no permission");
        }
        let fine = self.country.as_deref().is_none_or(country::is_known);
        problems.require(fine, "country", "must be an ISO 3166-1 alpha-2 code");
    }
}

/// Grants or takes roles
///
/// Nobody grants what they do not have, and the last owner stays one. The
/// account's tokens so far stop counting within a second; a refresh gives new ones.
#[utoipa::path(
    put, path = "/api/admin/users/{id}/roles", tag = "admin", request_body = SetRoles,
    params(("id" = Uuid, Path, description = "The account.")),
    responses((status = 200, description = "The user as they are now.", body = Success<UserDetailData>))
)]
pub async fn set_roles(
    caller: SuperAdmin,
    state: State<Identity>,
    origin: Origin,
    PathId(id): PathId,
    Json(body): Json<SetRoles>,
    once: Once,
) -> Result<Reply, ApiError> {
    let caller = caller.0;
    let mut roles: Vec<Role> = body.roles.iter().filter_map(|name| name.parse().ok()).collect();
    roles.sort_unstable();
    roles.dedup();
    once.write(Scope::Service, async move |tx: &mut Tx| -> Result<Reply, Error> {
        let owners = accounts::lock_owners(tx).await?;
        let account = accounts::lock(tx, id).await?;
        let old = account.roles();
        if let Some(why) = grants::roles_problem(&caller, caller.id == id, &old, &roles) {
            return Err(Error::Forbidden(why));
        }
        if !roles.contains(&Role::Owner) && owners == [id] {
            return Err(Error::State("This is the last owner. Make another one first."));
        }
        accounts::set_roles(tx, id, &roles).await?;
        let names: Vec<&str> = roles.iter().map(|role| role.name()).collect();
        let change = (
            Some(json!({ "roles": account.roles })),
            Some(json!({ "roles": names })),
        );
        settle(&state, tx, &origin, "roles.changed", id, change).await
    })
    .await
}

/// Sets admin level, country scope and permissions
///
/// As a whole: what is left out is taken away.
#[utoipa::path(
    put, path = "/api/admin/users/{id}/permissions", tag = "admin", request_body = SetPowers,
    params(("id" = Uuid, Path, description = "The account.")),
    responses((status = 200, description = "The user as they are now.", body = Success<UserDetailData>))
)]
pub async fn set_powers(
    caller: SuperAdmin,
    state: State<Identity>,
    origin: Origin,
    PathId(id): PathId,
    Json(body): Json<SetPowers>,
    once: Once,
) -> Result<Reply, ApiError> {
    let caller = caller.0;
    let powers = Powers {
        permissions: body
            .permissions
            .names()
            .iter()
            .filter_map(|n| n.parse().ok())
            .collect(),
        level: body.level,
        country: body.country,
    };
    once.write(Scope::Service, async move |tx: &mut Tx| -> Result<Reply, Error> {
        let account = accounts::lock(tx, id).await?;
        check_powers(&caller, &account, &powers)?;
        let country = powers.country.as_deref();
        accounts::set_powers(tx, id, powers.level, country, &powers.permissions).await?;
        let before = json!({ "level": account.level, "permissions": account.permissions });
        let names: Vec<&str> = powers.permissions.iter().map(|p| p.name()).collect();
        let after = json!({ "level": powers.level, "country": country, "permissions": names });
        settle(
            &state,
            tx,
            &origin,
            "permissions.changed",
            id,
            (Some(before), Some(after)),
        )
        .await
    })
    .await
}

fn check_powers(caller: &Principal, account: &Account, powers: &Powers) -> Result<(), Error> {
    if powers.level == Some(Level::CountryAdmin) && powers.country.is_none() {
        return Err(Error::Field("country", "is required for a country_admin"));
    }
    match grants::powers_problem(caller, &account.roles(), powers) {
        Some(why) => Err(Error::Forbidden(why)),
        None => Ok(()),
    }
}

/// What follows from any change of power: old tokens end, everybody hears, the log has it.
async fn settle(
    state: &Identity,
    tx: &mut Tx,
    origin: &Origin,
    action: &str,
    id: Uuid,
    change: (Option<serde_json::Value>, Option<serde_json::Value>),
) -> Result<Reply, Error> {
    let account = accounts::find(tx, id).await?;
    let profile = profiles::find(tx, id).await?;
    tell_power(state, tx, &account).await?;
    state.tell_profile(tx, &account, &profile).await?;
    state.audit(tx, origin, action, id, change).await?;
    Ok(Reply::ok(UserDetailData {
        user: detail(state, &account, &profile)?,
    })?)
}

/// Ends the tokens issued so far and tells what the account is now.
pub async fn tell_power(state: &Identity, tx: &mut Tx, account: &Account) -> Result<(), Error> {
    let now = state.now();
    accounts::set_not_before(tx, account.id, now).await?;
    let event = RolesChanged {
        account_id: account.id.to_string(),
        roles: account.roles.clone(),
        permissions: account.permissions.clone(),
        level: account.level.clone().unwrap_or_default(),
        country_scope: account.country_scope.clone().unwrap_or_default(),
        not_before_ms: now.timestamp_millis(),
    };
    parlour_events::publish(tx, format!("account:{}", account.id), &event).await?;
    Ok(())
}
