//! On whose behalf a transaction runs.

use uuid::Uuid;

/// What row-level security lets a transaction see. Policies read it from the
/// settings `parlour.user` and `parlour.service`, which end with the transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// Rows of this person only.
    Person(Uuid),
    /// Every row of the schema: consumers, jobs, sign-in, and staff whose right
    /// the handler's guard has checked.
    Service,
    /// No personal row at all.
    Nobody,
}

impl Scope {
    /// The settings as one statement. Nothing in it comes from outside but a UUID's hex digits.
    pub(crate) fn settings(self) -> String {
        match self {
            Scope::Person(id) => format!("SELECT set_config('parlour.user', '{id}', true)"),
            Scope::Service => "SELECT set_config('parlour.service', 'on', true)".to_owned(),
            Scope::Nobody => String::new(),
        }
    }
}
