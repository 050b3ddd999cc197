//! `POST /chat/groups/`

use actix_web::http::StatusCode;
use parlour_db::{Scope, Tx};
use parlour_events::Batch;
use parlour_http::{ApiError, Check, Json, Once, Origin, Problems, RateClass, Reply, Routes, Staff, State};
use serde::Deserialize;
use serde_json::json;
use utoipa::ToSchema;

use super::GroupView;
use crate::domain::kinds::SessionKind;
use crate::error::Error;
use crate::opening::Opening;
use crate::state::Chat;
use crate::store::groups::{self, Group};
use crate::telling;

/// Registers the route.
pub fn route(routes: Routes) -> Routes {
    routes.add::<__path_create_group, _, _, _>(RateClass::Chat, create_group)
}

/// A group to be.
#[derive(Debug, Deserialize, ToSchema)]
pub struct CreateGroup {
    /// Its name.
    #[schema(min_length = 1, max_length = 100)]
    pub name: String,
    /// What it is about.
    #[schema(max_length = 2000)]
    pub description: Option<String>,
    /// Its category.
    #[schema(max_length = 50)]
    pub category: Option<String>,
}

impl Check for CreateGroup {
    fn check(&self, problems: &mut Problems) {
        problems.require(!self.name.trim().is_empty(), "name", "must not be blank");
    }
}

/// Makes a group
///
/// Nobody is in it at first.
#[utoipa::path(
    post, path = "/chat/groups/", tag = "safetalk", request_body = CreateGroup,
    responses((status = 201, description = "The group.", body = GroupView))
)]
pub async fn create_group(
    staff: Staff,
    state: State<Chat>,
    origin: Origin,
    Json(body): Json<CreateGroup>,
    once: Once,
) -> Result<Reply, ApiError> {
    let actor = staff.id;
    // The service's: nobody is in the group yet.
    once.write(Scope::Service, async move |tx: &mut Tx| -> Result<Reply, Error> {
        let opening = Opening {
            kind: SessionKind::Group,
            booking_id: None,
            people: Vec::new(),
            encrypted: false,
            metadata: None,
            actor: Some(actor),
        };
        let group = Group {
            id: state.open_session(tx, opening).await?,
            name: body.name,
            description: body.description.unwrap_or_default(),
            category: body.category.unwrap_or_default(),
            members: 0,
        };
        groups::insert(tx, &group, state.now()).await?;
        let target = ("group", group.id.to_string());
        let after = json!({ "name": group.name, "category": group.category });
        let line = telling::entry(&origin, "group.create", target, (None, Some(after)));
        Batch::default().audit(line).write(tx).await?;
        Ok(Reply::bare(StatusCode::CREATED, &GroupView::from(group))?)
    })
    .await
}
