//! The endpoints, one file each; the path mirrors the URL.

pub mod appointments;
pub mod availability;
pub mod orders;
pub mod services;

use parlour_contracts::Role;
use parlour_http::{Has, RoleSet, Routes};

/// Those who order.
pub struct ClientRoles;
impl RoleSet for ClientRoles {
    const ROLES: &'static [Role] = &[Role::Client];
}

/// Those who work on orders and can be booked.
pub struct ReaderRoles;
impl RoleSet for ReaderRoles {
    const ROLES: &'static [Role] = &[Role::Reader];
}

/// Those who decide about results.
pub struct ReviewerRoles;
impl RoleSet for ReviewerRoles {
    const ROLES: &'static [Role] = &[Role::Monitor, Role::Admin];
}

/// A caller who orders.
pub type Client = Has<ClientRoles>;
/// A caller who works on orders and can be booked.
pub type Reader = Has<ReaderRoles>;
/// A caller who decides about results.
pub type Reviewer = Has<ReviewerRoles>;

/// All public routes of the service.
pub fn routes() -> Routes {
    Routes::of(crate::NAME)
        .and(services::routes())
        .and(orders::routes())
        .and(availability::routes())
        .and(appointments::routes())
}
