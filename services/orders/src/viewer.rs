//! What a caller is to orders and appointments in general, and to one in particular.

use parlour_auth::Principal;
use parlour_contracts::{Level, Role};
use parlour_db::Scope;
use uuid::Uuid;

use crate::domain::{appointment, order};
use crate::store::appointments::Appointment;
use crate::store::orders::Order;

/// A caller.
#[derive(Clone, Debug)]
pub struct Viewer {
    /// Their account.
    pub id: Uuid,
    monitor: bool,
    admin: bool,
    /// The only country whose clients' orders an admin sees.
    country: Option<String>,
}

impl From<&Principal> for Viewer {
    fn from(principal: &Principal) -> Self {
        let (monitor, admin) = (principal.has(Role::Monitor), principal.has(Role::Admin));
        let bound = principal.level == Some(Level::CountryAdmin) && !principal.has(Role::SuperAdmin);
        // A country's admin whose country is not set yet has none.
        let country = principal.country.clone().unwrap_or_default();
        Self {
            id: principal.id,
            monitor,
            admin,
            country: (bound && !monitor).then_some(country),
        }
    }
}

impl Viewer {
    /// Whether they see orders of others.
    pub fn sees_all(&self) -> bool {
        self.monitor || self.admin
    }

    /// Whether they run the platform.
    pub fn is_admin(&self) -> bool {
        self.admin
    }

    /// The only country that they see, if they are bound to one.
    pub fn country(&self) -> Option<&str> {
        self.country.as_deref()
    }

    /// On whose behalf their transactions run.
    pub fn scope(&self) -> Scope {
        if self.sees_all() {
            Scope::Service
        } else {
            Scope::Person(self.id)
        }
    }

    /// What they are to an order.
    pub fn parties(&self, order: &Order) -> Vec<order::Party> {
        let all = [
            (order.client_id == self.id, order::Party::Client),
            (order.reader_id == Some(self.id), order::Party::Reader),
            (self.monitor, order::Party::Monitor),
            (self.admin, order::Party::Admin),
        ];
        all.into_iter()
            .filter(|(is, _)| *is)
            .map(|(_, party)| party)
            .collect()
    }

    /// What they are to an appointment.
    pub fn parties_of(&self, appointment: &Appointment) -> Vec<appointment::Party> {
        let all = [
            (appointment.client_id == self.id, appointment::Party::Client),
            (appointment.counselor_id == self.id, appointment::Party::Counselor),
            (self.admin, appointment::Party::Admin),
        ];
        all.into_iter()
            .filter(|(is, _)| *is)
            .map(|(_, party)| party)
            .collect()
    }
}
