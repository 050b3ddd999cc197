//! Lines of the audit log about what a request did.

use parlour_contracts::Role;
use parlour_events::AuditEntry;
use parlour_http::Origin;
use serde_json::Value;

/// A line of the audit log: what the caller behind `origin` did to which `target` (its
/// kind and id), and what that was and is now, personal fields left out. The role is
/// the highest of the caller's.
pub fn audit_entry(
    origin: &Origin,
    action: &str,
    target: (&str, impl Into<String>),
    change: (Option<Value>, Option<Value>),
) -> AuditEntry {
    let actor = origin.actor.as_ref();
    let role = actor.and_then(|actor| actor.roles.iter().max().copied());
    AuditEntry {
        actor_id: actor.map(|actor| actor.id),
        role: role.unwrap_or(Role::Client).name().to_owned(),
        address: origin.address.to_string(),
        action: action.to_owned(),
        target_type: target.0.to_owned(),
        target_id: target.1.into(),
        before: change.0,
        after: change.1,
        request_id: origin.request_id.clone(),
    }
}
