//! Who may call. A guard is a handler's first argument; to have one in hand is
//! the proof that the caller was admitted.

use std::marker::PhantomData;
use std::ops::Deref;
use std::sync::Arc;

use parlour_auth::Principal;
use parlour_contracts::{Permission, Role};

use crate::{ApiError, Call};

/// The rule that a guard keeps, as documents and the generated tests read it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Anyone; a token is looked at when there is one, and a bad one refused.
    Public,
    /// Anyone; tokens are not looked at, so that a client with a dead one can still sign in.
    Anonymous,
    /// Any account that is signed in.
    User,
    /// One of these roles, or one that covers it.
    Roles(&'static [Role]),
    /// This permission.
    Permission(Permission),
    /// A token of an outside issuer, which the handler checks.
    External,
}

impl Access {
    /// Whether tokens of ours are looked at.
    pub fn reads_tokens(self) -> bool {
        !matches!(self, Access::Anonymous | Access::External)
    }

    /// Whether this caller passes.
    pub fn allows(self, principal: Option<&Principal>) -> bool {
        match (self, principal) {
            (Access::Public | Access::Anonymous | Access::External, _) | (Access::User, Some(_)) => true,
            (_, None) => false,
            (Access::Roles(roles), Some(caller)) => roles.iter().any(|role| caller.has(*role)),
            (Access::Permission(permission), Some(caller)) => caller.may(permission),
        }
    }
}

/// A rule about callers.
pub trait Guard: Sized + 'static {
    /// The rule.
    const ACCESS: Access;
    /// Admits the caller or says why not.
    fn admit(call: &Call) -> Result<Self, ApiError>;
}

/// Checks `access` and, for cookies, that the request was not forged by another site.
fn admitted(call: &Call, access: Access) -> Result<Arc<Principal>, ApiError> {
    let principal = call.principal.as_ref().ok_or_else(ApiError::unauthenticated)?;
    let write = !call.request.method().is_safe();
    if !access.allows(Some(principal)) || !principal.in_scope(call.service.name, write) {
        return Err(ApiError::forbidden());
    }
    if call.by_cookie && write && !crate::caller::is_same_site(call) {
        return Err(ApiError::forbidden().with_details(vec![
            "a request with the session cookie needs the X-CSRFToken header or a same-origin Origin"
                .to_owned(),
        ]));
    }
    Ok(principal.clone())
}

/// Anyone. The principal is there when the caller is signed in.
pub struct Public(pub Option<Arc<Principal>>);

impl Guard for Public {
    const ACCESS: Access = Access::Public;
    fn admit(call: &Call) -> Result<Self, ApiError> {
        Ok(Self(call.principal.clone()))
    }
}

/// Anyone, and whatever token they send is not looked at.
pub struct Anonymous;

impl Guard for Anonymous {
    const ACCESS: Access = Access::Anonymous;
    fn admit(_call: &Call) -> Result<Self, ApiError> {
        Ok(Self)
    }
}

/// A caller with a token of an outside issuer, which the handler checks.
pub struct External;

impl Guard for External {
    const ACCESS: Access = Access::External;
    fn admit(_call: &Call) -> Result<Self, ApiError> {
        Ok(Self)
    }
}

/// Any account that is signed in.
pub struct User(pub Arc<Principal>);

impl Guard for User {
    const ACCESS: Access = Access::User;
    fn admit(call: &Call) -> Result<Self, ApiError> {
        admitted(call, Self::ACCESS).map(Self)
    }
}

impl Deref for User {
    type Target = Principal;
    fn deref(&self) -> &Principal {
        &self.0
    }
}

/// A set of roles as a type, for [`Has`].
pub trait RoleSet: 'static {
    /// Any of these.
    const ROLES: &'static [Role];
}

/// Support, monitor or any admin.
pub struct StaffRoles;
impl RoleSet for StaffRoles {
    const ROLES: &'static [Role] = &Role::STAFF;
}

/// admin and above.
pub struct AdminRoles;
impl RoleSet for AdminRoles {
    const ROLES: &'static [Role] = &[Role::Admin];
}

/// `super_admin` and above.
pub struct SuperAdminRoles;
impl RoleSet for SuperAdminRoles {
    const ROLES: &'static [Role] = &[Role::SuperAdmin];
}

/// A caller with one of the roles of `R`.
pub struct Has<R>(pub Arc<Principal>, PhantomData<R>);

/// Support, monitor or any admin.
pub type Staff = Has<StaffRoles>;
/// admin and above.
pub type Admin = Has<AdminRoles>;
/// `super_admin` and above.
pub type SuperAdmin = Has<SuperAdminRoles>;

impl<R: RoleSet> Guard for Has<R> {
    const ACCESS: Access = Access::Roles(R::ROLES);
    fn admit(call: &Call) -> Result<Self, ApiError> {
        admitted(call, Self::ACCESS).map(|principal| Self(principal, PhantomData))
    }
}

impl<R> Deref for Has<R> {
    type Target = Principal;
    fn deref(&self) -> &Principal {
        &self.0
    }
}

/// A permission as a type, for [`Needs`].
pub trait Permitted: 'static {
    /// This one.
    const PERMISSION: Permission;
}

/// The permissions as types.
pub mod grants {
    use super::{Permission, Permitted};

    /// `ban_users`
    pub struct BanUsers;
    impl Permitted for BanUsers {
        const PERMISSION: Permission = Permission::BanUsers;
    }

    /// `approve_cashouts`
    pub struct ApproveCashouts;
    impl Permitted for ApproveCashouts {
        const PERMISSION: Permission = Permission::ApproveCashouts;
    }

    /// `approve_guides`
    pub struct ApproveGuides;
    impl Permitted for ApproveGuides {
        const PERMISSION: Permission = Permission::ApproveGuides;
    }
}

/// A caller with a permission.
pub struct Needs<P>(pub Arc<Principal>, PhantomData<P>);

impl<P: Permitted> Guard for Needs<P> {
    const ACCESS: Access = Access::Permission(P::PERMISSION);
    fn admit(call: &Call) -> Result<Self, ApiError> {
        admitted(call, Self::ACCESS).map(|principal| Self(principal, PhantomData))
    }
}

impl<P> Deref for Needs<P> {
    type Target = Principal;
    fn deref(&self) -> &Principal {
        &self.0
    }
}
