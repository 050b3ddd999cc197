//! `POST /api/auth/refresh`

use chrono::{DateTime, Duration, Utc};
use parlour_db::{Scope, Tx};
use parlour_http::{Anonymous, ApiError, Check, Json, RateClass, Reply, Routes, State, Success};
use serde::Deserialize;
use utoipa::ToSchema;

use crate::domain::secret;
use crate::error::Error;
use crate::issuing::Tokens;
use crate::state::Identity;
use crate::store::refresh_tokens::{self, RefreshToken};
use crate::store::{accounts, profiles, sessions};
use crate::view::SignedIn;

/// A client that lost the answer may ask again within this time.
const GRACE: Duration = Duration::seconds(10);

/// Registers the route.
pub fn route(routes: Routes) -> Routes {
    routes.add::<__path_refresh, _, _, _>(RateClass::Auth, refresh)
}

/// The refresh token.
#[derive(Debug, Deserialize, ToSchema)]
pub struct Refresh {
    /// From the last sign-in or refresh.
    #[schema(min_length = 1, max_length = 200)]
    pub refresh_token: String,
}

impl Check for Refresh {}

/// What a transaction found out; a detected theft must be committed, not rolled back.
enum Outcome {
    Fresh(Box<SignedIn>),
    Dead,
}

/// Rotates the refresh token
///
/// The old one is used up. Within ten seconds it answers the same successor
/// again; used later, it was stolen: the whole sign-in ends and its owner is warned.
#[utoipa::path(
    post, path = "/api/auth/refresh", tag = "auth", request_body = Refresh,
    responses(
        (status = 200, description = "New tokens.", body = Success<SignedIn>),
        (status = 401, description = "The token is unknown, expired or was used before.", body = parlour_http::Failure),
    )
)]
pub async fn refresh(
    _: Anonymous,
    state: State<Identity>,
    Json(body): Json<Refresh>,
) -> Result<Reply, ApiError> {
    let shared = state.clone();
    let outcome = state
        .db
        .write(Scope::Service, async move |tx: &mut Tx| {
            rotate(&shared, tx, &body.refresh_token).await
        })
        .await?;
    match outcome {
        Outcome::Fresh(signed_in) => Reply::ok(*signed_in),
        Outcome::Dead => Err(ApiError::unauthenticated()),
    }
}

async fn rotate(state: &Identity, tx: &mut Tx, token: &str) -> Result<Outcome, Error> {
    let (hash, now) = (secret::hash(token), state.now());
    let Some(row) = refresh_tokens::lock(tx, &hash).await? else {
        return Ok(Outcome::Dead);
    };
    let live = sessions::find_live(tx, row.session_id, now).await?;
    if live.is_none() || row.expires_at <= now {
        return Ok(Outcome::Dead);
    }
    let account = accounts::find(tx, row.account_id).await?;
    if !account.is_active() {
        return Ok(Outcome::Dead);
    }
    let tokens = match row.used_at {
        None => succeed(state, tx, &account, &row, now).await?,
        Some(at) if now - at <= GRACE => again(state, &account, &row)?,
        Some(_) => {
            state
                .end_session(tx, account.id, row.session_id, "reuse_detected")
                .await?;
            state.alert(tx, account.id, "refresh_reused", None).await?;
            return Ok(Outcome::Dead);
        }
    };
    let profile = profiles::find(tx, account.id).await?;
    let user = state.user(&account, &profile)?;
    Ok(Outcome::Fresh(Box::new(SignedIn::new(tokens, user))))
}

async fn succeed(
    state: &Identity,
    tx: &mut Tx,
    account: &accounts::Account,
    row: &RefreshToken,
    now: DateTime<Utc>,
) -> Result<Tokens, Error> {
    let tokens = state.issue(tx, account, row.session_id).await?;
    let sealed = state.vault.seal_text(&successor_place(row), &tokens.refresh)?;
    refresh_tokens::mark_used(tx, &row.hash, &sealed, now).await?;
    let expires = now + Duration::days(state.settings.refresh_days);
    sessions::touch(tx, row.session_id, now, expires).await?;
    Ok(tokens)
}

/// The same successor as before, with a new access token.
fn again(state: &Identity, account: &accounts::Account, row: &RefreshToken) -> Result<Tokens, Error> {
    let sealed = row.successor_sealed.as_deref().ok_or(Error::InvalidToken)?;
    Ok(Tokens {
        access: state.access_token(account, row.session_id)?,
        refresh: state.vault.open_text(&successor_place(row), sealed)?,
        expires_in: state.access_lifetime().num_seconds(),
        session: row.session_id,
    })
}

fn successor_place(row: &RefreshToken) -> String {
    format!("refresh_tokens.successor:{}", row.session_id)
}
