//! `/chat/groups/…`

pub mod chat;
pub mod create;
pub mod join;
pub mod leave;
pub mod list;

use parlour_http::Routes;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::store::groups::Group;

/// Routes below `/chat/groups`.
pub fn routes() -> Routes {
    let routes = create::route(list::route(Routes::of(crate::NAME)));
    chat::route(leave::route(join::route(routes)))
}

/// A group.
#[derive(Debug, Serialize, ToSchema)]
pub struct GroupView {
    /// Its id, and that of its conversation.
    pub id: Uuid,
    /// Its name.
    pub name: String,
    /// What it is about.
    pub description: String,
    /// Its category.
    pub category: String,
    /// How many are in it.
    pub member_count: i32,
}

impl From<Group> for GroupView {
    fn from(group: Group) -> Self {
        Self {
            id: group.id,
            name: group.name,
            description: group.description,
            category: group.category,
            member_count: group.members,
        }
    }
}

/// Where somebody and a group stand now.
#[derive(Debug, Serialize, ToSchema)]
pub struct MembershipView {
    /// The group.
    pub group_id: Uuid,
    /// Whether the caller is in it.
    pub joined: bool,
    /// How many are in it.
    pub member_count: i32,
}
