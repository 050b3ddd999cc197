//! Whom a job tells.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// The people of a job. All conditions hold together; none is everybody.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Audience {
    /// Only these.
    pub user_ids: Option<Vec<Uuid>>,
    /// Only with one of these roles.
    pub roles: Option<Vec<String>>,
    /// Only in this country.
    pub country: Option<String>,
    /// Only with this language.
    pub locale: Option<String>,
}
