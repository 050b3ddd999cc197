//! `POST /api/chat/sessions`

use actix_web::http::StatusCode;
use parlour_db::{Scope, Tx};
use parlour_http::{
    ApiError, Check, Json, Once, Origin, Problems, RateClass, Reply, Routes, State, Success, User,
};
use serde::Deserialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::domain::content::MOST_METADATA;
use crate::domain::kinds::SessionKind;
use crate::error::Error;
use crate::meeting::{Opener, Wish};
use crate::state::Chat;
use crate::store::listing;
use crate::view::SessionDetail;

/// Registers the route.
pub fn route(routes: Routes) -> Routes {
    routes.add::<__path_create_session, _, _, _>(RateClass::Chat, create_session)
}

/// A conversation to be.
#[derive(Debug, Deserialize, ToSchema)]
pub struct CreateSession {
    /// `booking`, `support`, `general` or `direct`; `booking` where there is a `booking_id`, else `general`.
    #[schema(max_length = 20)]
    pub session_type: Option<String>,
    /// The order whose conversation it is.
    pub booking_id: Option<Uuid>,
    /// With whom, besides yourself.
    #[serde(alias = "participant_ids")]
    #[schema(max_items = 1000)]
    pub participants: Option<Vec<Uuid>>,
    /// What the frontend keeps with it, up to 16 KiB. With `encryption: "e2ee"` it takes encrypted
    /// messages only.
    #[schema(value_type = Option<Object>)]
    pub metadata: Option<Map<String, Value>>,
}

impl CreateSession {
    fn kind(&self) -> Option<SessionKind> {
        let usual = if self.booking_id.is_some() {
            "booking"
        } else {
            "general"
        };
        let kind = self.session_type.as_deref().unwrap_or(usual).parse().ok()?;
        (kind != SessionKind::Group).then_some(kind)
    }
}

impl Check for CreateSession {
    fn check(&self, problems: &mut Problems) {
        let Some(kind) = self.kind() else {
            problems.add("session_type", "must be booking, support, general or direct");
            return;
        };
        let booking = kind == SessionKind::Booking;
        let others = self.participants.as_ref().map_or(0, Vec::len);
        problems.require(
            booking == self.booking_id.is_some(),
            "booking_id",
            "belongs to a booking, and a booking needs it",
        );
        match kind {
            SessionKind::Direct => problems.require(others == 1, "participants", "must be one other person"),
            SessionKind::General => problems.require(others > 0, "participants", "must be somebody"),
            _ => {}
        }
        let Some(metadata) = &self.metadata else { return };
        let size = serde_json::to_vec(metadata).map_or(usize::MAX, |json| json.len());
        problems.require(size <= MOST_METADATA, "metadata", "must have at most 16 KiB");
        let encryption = metadata.get("encryption");
        let fine = encryption.is_none_or(|value| value.is_null() || value == "e2ee");
        problems.require(fine, "metadata.encryption", "must be e2ee");
        let fine = !booking || encryption.is_none();
        problems.require(fine, "metadata.encryption", "is not for bookings");
    }
}

/// Opens a conversation
///
/// The caller takes part in it. An order has one, and two people have one that is `direct`:
/// asked for again, it is the same and answered with 200.
#[utoipa::path(
    post, path = "/api/chat/sessions", tag = "chat", request_body = CreateSession,
    responses(
        (status = 201, description = "The conversation.", body = Success<SessionDetail>),
        (status = 200, description = "The conversation that there was.", body = Success<SessionDetail>),
    )
)]
pub async fn create_session(
    user: User,
    state: State<Chat>,
    origin: Origin,
    Json(body): Json<CreateSession>,
    once: Once,
) -> Result<Reply, ApiError> {
    let most = state.settings.most_participants;
    if body
        .participants
        .as_ref()
        .is_some_and(|others| others.len() >= most)
    {
        return Err(ApiError::field("participants", "are too many"));
    }
    let opener = Opener::from(&*user);
    // The service's: until somebody takes part in it, nobody sees a conversation.
    once.write(Scope::Service, async move |tx: &mut Tx| -> Result<Reply, Error> {
        let kind = body.kind().unwrap_or(SessionKind::General);
        let (id, new) = if let Some(booking) = body.booking_id {
            (state.booking_session(tx, &opener, booking).await?, false)
        } else {
            let encrypted = body.metadata.as_ref().and_then(|m| m.get("encryption"));
            let wish = Wish {
                kind,
                others: body.participants.unwrap_or_default(),
                encrypted: encrypted.is_some_and(|value| value == "e2ee"),
                metadata: body.metadata,
            };
            state.meet(tx, &opener, wish, &origin).await?
        };
        answer(&state, tx, id, opener.id, new).await
    })
    .await
}

async fn answer(state: &Chat, tx: &mut Tx, id: Uuid, user: Uuid, new: bool) -> Result<Reply, Error> {
    let session = listing::find(tx, id, user).await?.ok_or(Error::SessionNotFound)?;
    let parts = listing::parts(tx, id).await?;
    let detail = SessionDetail::new(state, session, parts)?;
    let (status, message) = if new {
        (StatusCode::CREATED, "Chat session created successfully")
    } else {
        (StatusCode::OK, "Chat session already exists")
    };
    Ok(Reply::enveloped(status, detail, Some(message))?)
}
