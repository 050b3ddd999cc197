//! `GET /api/chat/sessions`

use futures_util::future::try_join;
use parlour_db::{Conn, Scope};
use parlour_http::{
    ApiError, Check, Cursor, PageQuery, Paged, Pagination, Problems, RateClass, Reply, Routes, State,
    Success, User,
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use crate::domain::kinds::SessionStatus;
use crate::error::Error;
use crate::state::Chat;
use crate::store::listing::{self, Filter};
use crate::view::SessionView;

/// Registers the route.
pub fn route(routes: Routes) -> Routes {
    routes.add::<__path_list_sessions, _, _, _>(RateClass::Chat, list_sessions)
}

/// Which conversations.
#[derive(Debug, Default, Deserialize, ToSchema, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct SessionQuery {
    /// `active` (the default), `locked`, `ended` or `all`.
    #[schema(max_length = 20)]
    #[param(max_length = 20)]
    pub status: Option<String>,
    /// Of this order.
    pub booking_id: Option<Uuid>,
}

impl Check for SessionQuery {
    fn check(&self, problems: &mut Problems) {
        let fine = self
            .status
            .as_deref()
            .is_none_or(|name| name == "all" || name.parse::<SessionStatus>().is_ok());
        problems.require(fine, "status", "must be active, locked, ended or all");
    }
}

/// A page of conversations.
#[derive(Debug, Serialize, ToSchema)]
pub struct SessionPage {
    /// The last active first.
    pub sessions: Vec<SessionView>,
    /// Where in the list this is.
    pub pagination: Pagination,
}

/// My conversations
///
/// The last active first.
#[utoipa::path(
    get, path = "/api/chat/sessions", tag = "chat", params(SessionQuery, PageQuery),
    responses((status = 200, description = "A page.", body = Success<SessionPage>))
)]
pub async fn list_sessions(
    user: User,
    state: State<Chat>,
    Paged(query, pages): Paged<SessionQuery>,
) -> Result<Reply, ApiError> {
    let filter = Filter {
        user: user.id,
        status: match query.status.as_deref() {
            Some("all") => None,
            name => name.unwrap_or("active").parse().ok(),
        },
        booking: query.booking_id,
    };
    let (cursor, place) = (pages.cursor()?, (pages.most(), pages.offset()));
    let (total, mut rows) = state
        .db
        .fetch(
            Scope::Person(user.id),
            async move |conn: &Conn| -> Result<_, Error> {
                let total = listing::count(conn, &filter);
                let rows = listing::page(conn, &filter, cursor, place);
                Ok(try_join(total, rows).await?)
            },
        )
        .await?;
    let next = pages.cut(&mut rows, |session| Cursor {
        at: session.active_at,
        id: session.id,
    });
    let sessions = rows.into_iter().map(|row| SessionView::new(&state, row));
    Reply::ok(SessionPage {
        sessions: sessions.collect::<Result<_, Error>>()?,
        pagination: Pagination::new(&pages, total, next),
    })
}
