//! `GET /api/media/shared/{token}`

use actix_web::HttpResponse;
use actix_web::http::Method;
use parlour_db::{Conn, DbError, Scope, Tx};
use parlour_http::{Anonymous, ApiError, Head, InPath, PathNamed, RateClass, Routes, State};
use uuid::Uuid;

use crate::error::Error;
use crate::http::FileBytes;
use crate::http::files::share::token_hash;
use crate::serving::Show;
use crate::state::Media;
use crate::store::{reading, shares};

/// Registers the route.
pub fn route(routes: Routes) -> Routes {
    routes.add::<__path_open_link, _, _, _>(RateClass::General, open_link)
}

/// `{token}`
pub struct Token;
impl PathNamed for Token {
    const NAME: &'static str = "token";
}

/// The bytes that a link opens
///
/// A link from an answer, which ends after a while, or one that a person shared. Nothing but the
/// link is looked at. With `ETag`, `Last-Modified` and ranges.
#[utoipa::path(
    get, path = "/api/media/shared/{token}", tag = "media",
    params(("token" = String, Path, description = "The link's secret.")),
    responses(FileBytes)
)]
pub async fn open_link(
    _: Anonymous,
    state: State<Media>,
    token: InPath<Token>,
    head: Head,
) -> Result<HttpResponse, ApiError> {
    let id = match state.links.open_link(&token.0, state.clock.now()) {
        Some((id, _)) => id,
        None => by_share(&state, &token.0, &head).await?,
    };
    let opened = state
        .db
        .fetch(Scope::Service, async move |conn: &Conn| {
            reading::open_linked(conn, id).await.map_err(DbError::from)
        })
        .await?;
    state.0.serve(&head, opened, Show::Inline).await
}

/// The file that a person's link opens. Looking at its head does not use it up.
async fn by_share(state: &State<Media>, token: &str, head: &Head) -> Result<Uuid, Error> {
    let (hash, now) = (token_hash(token), state.now());
    let count = head.method != Method::HEAD;
    let work =
        async move |tx: &mut Tx| -> Result<Uuid, Error> { Ok(shares::open(tx, &hash, count, now).await?) };
    state.db.write(Scope::Service, work).await
}
