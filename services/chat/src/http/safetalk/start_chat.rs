//! `GET /chat/start-chat/{user_id}/`

use actix_web::http::StatusCode;
use parlour_db::{Scope, Tx};
use parlour_http::{ApiError, Call, Extract, Origin, RateClass, Reply, Routes, State, User};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::domain::kinds::SessionKind;
use crate::error::Error;
use crate::http::chat::keys::UserId;
use crate::meeting::{Opener, Wish};
use crate::state::Chat;

/// Registers the route.
pub fn route(routes: Routes) -> Routes {
    routes.add::<__path_start_chat, _, _, _>(RateClass::Chat, start_chat)
}

/// That the request may write, although it is a GET: its token reaches that far, and with a
/// cookie it comes from a page of ours.
pub struct MayWrite;

impl Extract for MayWrite {
    async fn extract(call: &mut Call) -> Result<Self, ApiError> {
        let reaches = call
            .principal
            .as_ref()
            .is_some_and(|caller| caller.in_scope(call.service.name, true));
        if !reaches {
            return Err(ApiError::forbidden());
        }
        let connection = call.request.connection_info().clone();
        let here = format!("{}://{}", connection.scheme(), connection.host());
        let same =
            call.header("sec-fetch-site") == Some("same-origin") || call.header("origin") == Some(&here);
        if call.by_cookie && !same {
            return Err(ApiError::forbidden().with_details(vec![
                "a request with the session cookie needs a same-origin Sec-Fetch-Site or Origin".to_owned(),
            ]));
        }
        Ok(Self)
    }
}

/// The conversation with somebody.
#[derive(Debug, Serialize, ToSchema)]
pub struct StartedChat {
    /// Its id.
    pub session_id: Uuid,
    /// Where the frontend goes on.
    pub redirect_url: String,
}

/// The direct conversation with somebody
///
/// It is opened when there is none yet.
#[utoipa::path(
    get, path = "/chat/start-chat/{user_id}/", tag = "safetalk",
    params(("user_id" = Uuid, Path, description = "With whom.")),
    responses((status = 200, description = "The conversation.", body = StartedChat))
)]
pub async fn start_chat(
    user: User,
    state: State<Chat>,
    origin: Origin,
    _may: MayWrite,
    UserId(other): UserId,
) -> Result<Reply, ApiError> {
    let (shared, opener) = (state.clone(), Opener::from(&*user));
    // The service's: until somebody takes part in it, nobody sees a conversation.
    let (session_id, _) = state
        .db
        .write(Scope::Service, async move |tx: &mut Tx| -> Result<_, Error> {
            let wish = Wish {
                kind: SessionKind::Direct,
                others: vec![other],
                encrypted: false,
                metadata: None,
            };
            shared.meet(tx, &opener, wish, &origin).await
        })
        .await?;
    let body = StartedChat {
        session_id,
        redirect_url: format!("/chat/session/{session_id}/"),
    };
    Reply::bare(StatusCode::OK, &body)
}
