//! `POST /api/auth/sync`

use parlour_auth::OutsideClaims;
use parlour_contracts::id;
use parlour_db::{Scope, Tx};
use parlour_http::{ApiError, Bearer, External, Origin, RateClass, Reply, Routes, State, Success};
use serde_json::Value;

use super::login::{LoginData, challenge};
use super::register::{Applicant, create};
use crate::domain::{email, text};
use crate::error::Error;
use crate::issuing::Through;
use crate::state::Identity;
use crate::store::accounts::{self, Account};
use crate::store::{outside, profiles};
use crate::view::SignedIn;

/// Registers the route.
pub fn route(routes: Routes) -> Routes {
    routes.add::<__path_sync, _, _, _>(RateClass::Auth, sync)
}

/// Exchanges a token of a trusted outside issuer for our own
///
/// Makes the account when the issuer's subject is seen for the first time, or
/// links it to the account with the same e-mail address when both sides have verified it.
#[utoipa::path(
    post, path = "/api/auth/sync", tag = "auth",
    responses((status = 200, description = "Signed in.", body = Success<LoginData>))
)]
pub async fn sync(
    _: External,
    state: State<Identity>,
    origin: Origin,
    Bearer(token): Bearer,
) -> Result<Reply, ApiError> {
    let (issuer, claims) = verify(&state, &token).await?;
    let subject_fits = (1..=255).contains(&claims.sub.len()) && !claims.sub.contains('\0');
    if !subject_fits {
        return Err(ApiError::unauthenticated());
    }
    let shared = state.clone();
    let data = state
        .db
        .write(Scope::Service, async move |tx: &mut Tx| -> Result<_, Error> {
            let state = shared;
            let account = account_of(&state, tx, &issuer, &claims).await?;
            if !account.is_active() {
                return Err(Error::Blocked);
            }
            if account.two_factor_enabled {
                return Ok(LoginData::TwoFactor(challenge(&state, tx, &account).await?));
            }
            let (tokens, _) = state
                .start_session(tx, &account, &origin, Through::Issuer, false)
                .await?;
            let profile = profiles::find(tx, account.id).await?;
            Ok(LoginData::SignedIn(SignedIn::new(
                tokens,
                state.user(&account, &profile)?,
            )))
        });
    Reply::ok(data.await?)
}

async fn verify(state: &Identity, token: &str) -> Result<(String, OutsideClaims), Error> {
    for issuer in &state.issuers {
        if let Some(claims) = issuer.verify(token).await? {
            return Ok((issuer.name().to_owned(), claims));
        }
    }
    Err(parlour_auth::AuthError::Invalid.into())
}

/// The account of a subject: known, linked now, or made now.
async fn account_of(
    state: &Identity,
    tx: &mut Tx,
    issuer: &str,
    claims: &OutsideClaims,
) -> Result<Account, Error> {
    // Two first syncs of one subject take turns here, so that one account is made.
    diesel_async::RunQueryDsl::execute(
        diesel::sql_query("SELECT pg_advisory_xact_lock(hashtextextended($1, 0))")
            .bind::<diesel::sql_types::Text, _>(format!("sync:{issuer}:{}", claims.sub)),
        tx,
    )
    .await?;
    if let Some(id) = outside::find(tx, issuer, &claims.sub).await? {
        return Ok(accounts::find(tx, id).await?);
    }
    let address = claims.email.as_deref().and_then(email::normalise);
    let owner = match &address {
        Some(address) => accounts::by_email(tx, &state.email_index(address)).await?,
        None => None,
    };
    let account = match owner {
        Some(owner) if claims.email_verified && owner.email_verified => owner,
        // The address is somebody else's until both sides have proved it.
        Some(_) => make(state, tx, claims, None).await?,
        None => make(state, tx, claims, address).await?,
    };
    outside::link(tx, issuer, &claims.sub, account.id).await?;
    Ok(account)
}

async fn make(
    state: &Identity,
    tx: &mut Tx,
    claims: &OutsideClaims,
    address: Option<String>,
) -> Result<Account, Error> {
    let id = id::new();
    let known = address.is_some();
    let applicant = Applicant {
        email: address,
        username: None,
        password_hash: None,
        first_name: name(claims.given_name.as_deref(), claims, "first_name"),
        last_name: name(claims.family_name.as_deref(), claims, "last_name"),
        locale: None,
        requested_role: None,
    };
    if !create(state, tx, id, &applicant).await? {
        return Err(Error::Taken);
    }
    if known && claims.email_verified {
        accounts::set_email_verified(tx, id).await?;
    }
    let account = accounts::find(tx, id).await?;
    let profile = profiles::find(tx, id).await?;
    state.tell_registered(tx, &account, &profile, "issuer").await?;
    Ok(account)
}

/// A name from its standard claim or from Supabase's metadata, if it fits.
fn name(standard: Option<&str>, claims: &OutsideClaims, key: &str) -> Option<String> {
    let metadata = claims.user_metadata.as_ref();
    let given = standard.or_else(|| metadata.and_then(|m| m.get(key)).and_then(Value::as_str))?;
    let fits = text::is_plain(given) && given.chars().count() <= 100;
    (fits && !given.is_empty()).then(|| given.to_owned())
}
