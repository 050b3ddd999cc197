//! `POST /chat/groups/{group_id}/leave/`

use actix_web::http::StatusCode;
use parlour_contracts::chat::v1::MemberLeft;
use parlour_db::{Scope, Tx};
use parlour_events::Batch;
use parlour_http::{ApiError, Once, Origin, RateClass, Reply, Routes, State, User};

use super::MembershipView;
use crate::error::Error;
use crate::http::safetalk::pages::GroupId;
use crate::state::Chat;
use crate::store::{groups, sessions};
use crate::telling;

/// Registers the route.
pub fn route(routes: Routes) -> Routes {
    routes.add::<__path_leave_group, _, _, _>(RateClass::Chat, leave_group)
}

/// Leaves a group
///
/// Who is not in it stays outside.
#[utoipa::path(
    post, path = "/chat/groups/{group_id}/leave/", tag = "safetalk",
    params(("group_id" = uuid::Uuid, Path, description = "The group.")),
    responses((status = 200, description = "The caller is not in it.", body = MembershipView))
)]
pub async fn leave_group(
    user: User,
    state: State<Chat>,
    origin: Origin,
    GroupId(id): GroupId,
    once: Once,
) -> Result<Reply, ApiError> {
    let me = user.id;
    // The service's: who is not in the group does not see it.
    once.write(Scope::Service, async move |tx: &mut Tx| -> Result<Reply, Error> {
        let group = groups::lock(tx, id).await?;
        let mut group = group.ok_or_else(ApiError::not_found)?;
        if sessions::leave(tx, id, me, state.now()).await? {
            groups::add_members(tx, id, -1).await?;
            group.members -= 1;
            let event = MemberLeft {
                session_id: id.to_string(),
                user_id: me.to_string(),
            };
            let target = ("group", id.to_string());
            let line = telling::entry(&origin, "group.leave", target, (None, None));
            let news = Batch::default().event(telling::aggregate(id), &event);
            news.audit(line).write(tx).await?;
            state.push_left(tx, id, me);
        }
        let body = MembershipView {
            group_id: id,
            joined: false,
            member_count: group.members,
        };
        Ok(Reply::bare(StatusCode::OK, &body)?)
    })
    .await
}
