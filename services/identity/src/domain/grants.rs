//! Who may give whom which power: nobody grants what they do not have, and
//! nobody touches somebody more powerful.

use parlour_auth::Principal;
use parlour_contracts::{Level, Permission, Role};

/// How powerful a set of roles is; staff below the admins are equal.
pub fn rank(roles: &[Role]) -> u8 {
    let of = |role: &Role| match role {
        Role::Owner => 4,
        Role::SuperAdmin => 3,
        Role::Admin => 2,
        Role::Monitor | Role::Support => 1,
        Role::Client | Role::Reader | Role::Guide => 0,
    };
    roles.iter().map(of).max().unwrap_or(0)
}

/// The most powerful role that `caller` may grant or take.
fn reach(caller: &Principal) -> u8 {
    rank(&caller.roles)
}

/// Why `caller` may not change an account with roles `old` to have `new`.
pub fn roles_problem(caller: &Principal, own: bool, old: &[Role], new: &[Role]) -> Option<&'static str> {
    if new.is_empty() {
        return Some("an account has at least one role");
    }
    if rank(old) > reach(caller) {
        return Some("this account has more power than you");
    }
    if rank(new) > reach(caller) {
        return Some("you cannot grant a role that you do not have");
    }
    // Only the owner makes owners; rank alone already says so for the others.
    if own && rank(new) < rank(old) && rank(old) < 4 {
        return Some("you cannot take your own power away");
    }
    None
}

/// What an owner or `super_admin` may set besides roles.
#[derive(Debug)]
pub struct Powers {
    /// The admin level.
    pub level: Option<Level>,
    /// The country a `country_admin` is limited to.
    pub country: Option<String>,
    /// Fine-grained permissions.
    pub permissions: Vec<Permission>,
}

/// Why `caller` may not give these powers to an account with `roles`.
pub fn powers_problem(caller: &Principal, roles: &[Role], powers: &Powers) -> Option<&'static str> {
    if rank(roles) > reach(caller) {
        return Some("this account has more power than you");
    }
    if powers.level == Some(Level::Owner) && !caller.has(Role::Owner) {
        return Some("you cannot grant a level that you do not have");
    }
    if powers.level == Some(Level::CountryAdmin) && powers.country.is_none() {
        return Some("a country_admin needs a country");
    }
    if powers.permissions.iter().any(|p| !caller.may(*p)) {
        return Some("you cannot grant a permission that you do not have");
    }
    None
}

/// Whether `caller` may see and change an account of `country`.
pub fn in_country(caller: &Principal, country: Option<&str>) -> bool {
    if caller.has(Role::SuperAdmin) || caller.level != Some(Level::CountryAdmin) {
        return true;
    }
    caller.country.is_some() && caller.country.as_deref() == country
}

#[cfg(test)]
mod tests {
    use super::*;

    fn caller(role: Role) -> Principal {
        let now = chrono::DateTime::UNIX_EPOCH;
        Principal {
            id: uuid::Uuid::nil(),
            session: uuid::Uuid::nil(),
            roles: vec![role],
            permissions: vec![],
            level: None,
            country: None,
            via: parlour_auth::Via::AccessToken,
            scopes: None,
            issued_at: now,
            expires_at: now,
        }
    }

    #[test]
    fn nobody_grants_what_they_do_not_have() {
        let super_admin = caller(Role::SuperAdmin);
        assert!(roles_problem(&super_admin, false, &[Role::Client], &[Role::Owner]).is_some());
        assert!(roles_problem(&super_admin, false, &[Role::Owner], &[Role::Client]).is_some());
        assert!(roles_problem(&super_admin, false, &[Role::Client], &[Role::Admin]).is_none());
        assert!(roles_problem(&super_admin, false, &[Role::Client], &[]).is_some());
        let owner = caller(Role::Owner);
        assert!(roles_problem(&owner, false, &[Role::SuperAdmin], &[Role::Owner]).is_none());
    }

    #[test]
    fn a_country_admin_stays_at_home() {
        let mut admin = caller(Role::Admin);
        assert!(in_country(&admin, None));
        admin.level = Some(Level::CountryAdmin);
        assert!(!in_country(&admin, Some("SA")));
        admin.country = Some("SA".into());
        assert!(in_country(&admin, Some("SA")));
        assert!(!in_country(&admin, Some("EG")));
        assert!(!in_country(&admin, None));
    }
}
