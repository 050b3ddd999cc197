//! `POST /login/`

use std::sync::Arc;

use actix_web::cookie::time::Duration;
use actix_web::cookie::{Cookie, SameSite};
use actix_web::http::StatusCode;
use parlour_db::{Scope, Tx};
use parlour_http::{
    Anonymous, ApiError, CSRF_COOKIE, Check, Json, Origin, Problems, RateClass, Reply, Routes,
    SESSION_COOKIE, ServiceHandle, State,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::register::SafetalkUser;
use crate::domain::secret;
use crate::error::Error;
use crate::http::auth::login::{TwoFactorRequired, challenge, check_password};
use crate::issuing::{Through, Tokens};
use crate::state::Identity;
use crate::store::accounts::Account;
use crate::view::safetalk_role;

/// Registers the route.
pub fn route(routes: Routes) -> Routes {
    routes.add::<__path_login_safetalk, _, _, _>(RateClass::Auth, login_safetalk)
}

/// SafeTalk's login form.
#[derive(Debug, Deserialize, ToSchema)]
pub struct SafetalkLogin {
    /// The username; an e-mail address is taken too.
    #[schema(max_length = 254)]
    pub username: Option<String>,
    /// The e-mail address, in the place of the username.
    #[schema(max_length = 254)]
    pub email: Option<String>,
    /// The password.
    #[schema(min_length = 1, max_length = 1000)]
    pub password: String,
}

impl Check for SafetalkLogin {
    fn check(&self, problems: &mut Problems) {
        let given = self.username.is_some() || self.email.is_some();
        problems.require(given, "username", "is required");
    }
}

/// The tokens of a sign-in, in SafeTalk's words.
#[derive(Debug, Serialize, ToSchema)]
#[expect(missing_docs, reason = "the names say it")]
pub struct SafetalkSignedIn {
    pub access_token: String,
    pub refresh_token: String,
    /// Always `Bearer`.
    pub token_type: &'static str,
    /// Seconds until the access token ends.
    pub expires_in: i64,
    pub user: SafetalkUser,
}

/// Either tokens or a challenge.
#[derive(Debug, Serialize, ToSchema)]
#[serde(untagged)]
pub enum SafetalkLoginData {
    /// Signed in.
    SignedIn(SafetalkSignedIn),
    /// The second factor is still missing.
    TwoFactor(TwoFactorRequired),
}

/// Signs in with SafeTalk's form
///
/// Answers tokens and sets a session cookie and the cookie whose value a write
/// by cookie repeats in `X-CSRFToken`.
#[utoipa::path(
    post, path = "/login/", tag = "safetalk", request_body = SafetalkLogin,
    responses((status = 200, description = "Signed in.", body = SafetalkLoginData))
)]
pub async fn login_safetalk(
    _: Anonymous,
    state: State<Identity>,
    origin: Origin,
    service: Arc<ServiceHandle>,
    Json(body): Json<SafetalkLogin>,
) -> Result<Reply, ApiError> {
    let name = body.username.or(body.email).unwrap_or_default();
    let account = check_password(&state, &service, &origin, &name, body.password).await?;
    if account.two_factor_enabled {
        let shared = state.clone();
        let asked = state.db.write(Scope::Service, async move |tx: &mut Tx| {
            challenge(&shared, tx, &account).await
        });
        return Reply::bare(StatusCode::OK, &asked.await?);
    }
    let shared = state.clone();
    let (account, tokens, cookie) = state
        .db
        .write(Scope::Service, async move |tx: &mut Tx| -> Result<_, Error> {
            let started = shared.start_session(tx, &account, &origin, Through::Password, true);
            let (tokens, cookie) = started.await?;
            Ok((account, tokens, cookie))
        })
        .await?;
    let reply = Reply::bare(StatusCode::OK, &signed_in(&state, &account, tokens)?)?;
    let secure = state.secure_cookies;
    let days = state.settings.refresh_days;
    let session = bake(SESSION_COOKIE, cookie.unwrap_or_default(), true, secure, days);
    let csrf = bake(CSRF_COOKIE, secret::token("")?, false, secure, days);
    Ok(reply.with_cookie(session).with_cookie(csrf))
}

fn signed_in(state: &Identity, account: &Account, tokens: Tokens) -> Result<SafetalkSignedIn, Error> {
    Ok(SafetalkSignedIn {
        access_token: tokens.access,
        refresh_token: tokens.refresh,
        token_type: "Bearer",
        expires_in: tokens.expires_in,
        user: SafetalkUser {
            id: account.id,
            username: account.username.clone(),
            email: state.email_of(account)?,
            role: safetalk_role(&state.effective_roles(account)),
            status: match &account.requested_role {
                Some(_) => "pending".to_owned(),
                None => account.status.clone(),
            },
        },
    })
}

/// A cookie; the script of a page may read only the one that it has to repeat.
fn bake(name: &'static str, value: String, http_only: bool, secure: bool, days: i64) -> Cookie<'static> {
    Cookie::build(name, value)
        .path("/")
        .http_only(http_only)
        .secure(secure)
        .same_site(SameSite::Lax)
        .max_age(Duration::days(days))
        .finish()
}
