//! `POST /chat/groups/{group_id}/join/`

use actix_web::http::StatusCode;
use parlour_contracts::chat::v1::MemberJoined;
use parlour_db::{Scope, Tx};
use parlour_events::Batch;
use parlour_http::{ApiError, Once, Origin, RateClass, Reply, Routes, State, User};

use super::MembershipView;
use crate::domain::kinds::SessionKind;
use crate::error::Error;
use crate::http::safetalk::pages::GroupId;
use crate::meeting::Opener;
use crate::state::Chat;
use crate::store::{groups, sessions};
use crate::telling;

/// Registers the route.
pub fn route(routes: Routes) -> Routes {
    routes.add::<__path_join_group, _, _, _>(RateClass::Chat, join_group)
}

/// Joins a group
///
/// Who is in it already stays in it.
#[utoipa::path(
    post, path = "/chat/groups/{group_id}/join/", tag = "safetalk",
    params(("group_id" = uuid::Uuid, Path, description = "The group.")),
    responses((status = 200, description = "The caller is in it.", body = MembershipView))
)]
pub async fn join_group(
    user: User,
    state: State<Chat>,
    origin: Origin,
    GroupId(id): GroupId,
    once: Once,
) -> Result<Reply, ApiError> {
    let opener = Opener::from(&*user);
    // The service's: who is not in the group does not see it.
    once.write(Scope::Service, async move |tx: &mut Tx| -> Result<Reply, Error> {
        let group = groups::lock(tx, id).await?;
        let mut group = group.ok_or_else(ApiError::not_found)?;
        if sessions::join(tx, id, (opener.id, opener.role()), state.now()).await? {
            if group.members >= state.settings.most_members {
                return Err(Error::Conflict("This group is full."));
            }
            groups::add_members(tx, id, 1).await?;
            group.members += 1;
            let event = MemberJoined {
                session_id: id.to_string(),
                user_id: opener.id.to_string(),
            };
            let target = ("group", id.to_string());
            let line = telling::entry(&origin, "group.join", target, (None, None));
            let news = Batch::default().event(telling::aggregate(id), &event);
            news.audit(line).write(tx).await?;
            state.push_joined(tx, id, opener.id, SessionKind::Group);
        }
        let body = MembershipView {
            group_id: id,
            joined: true,
            member_count: group.members,
        };
        Ok(Reply::bare(StatusCode::OK, &body)?)
    })
    .await
}
