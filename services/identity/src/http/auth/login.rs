//! `POST /api/auth/login`

use std::time::Duration;

use parlour_db::{Scope, Tx};
use parlour_http::{
    Anonymous, ApiError, Check, Json, Origin, Problems, RateClass, Reply, Routes, ServiceHandle, State,
    Success,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::domain::{email, secret, username};
use crate::error::Error;
use crate::issuing::Through;
use crate::state::Identity;
use crate::store::accounts::{self, Account};
use crate::store::single_use::{self, NewToken, Purpose};
use crate::store::{failures, profiles};
use crate::view::SignedIn;

/// Failures from one address that lock it out of the account.
const LOCK_AFTER: i32 = 10;
/// Failures from all addresses after which sign-ins to the account are slowed.
const SLOW_AFTER: i32 = 20;
/// The longest that a sign-in is held back.
const SLOWEST: Duration = Duration::from_secs(8);
/// How long a second-factor challenge works.
const CHALLENGE_LIFETIME: chrono::Duration = chrono::Duration::minutes(5);

/// Registers the route.
pub fn route(routes: Routes) -> Routes {
    routes.add::<__path_login, _, _, _>(RateClass::Auth, login)
}

/// An account, by e-mail address or username, and its password.
#[derive(Debug, Deserialize, ToSchema)]
pub struct Login {
    /// The e-mail address; a username is taken here too.
    #[schema(max_length = 254)]
    pub email: Option<String>,
    /// The username; an e-mail address is taken here too.
    #[schema(max_length = 254)]
    pub username: Option<String>,
    /// The password.
    #[schema(min_length = 1, max_length = 1000)]
    pub password: String,
}

impl Check for Login {
    fn check(&self, problems: &mut Problems) {
        let given = self.email.is_some() || self.username.is_some();
        problems.require(given, "email", "an e-mail address or a username is required");
    }
}

/// What a password alone was worth, when a second factor is active.
#[derive(Debug, Serialize, ToSchema)]
pub struct TwoFactorRequired {
    /// Always true.
    pub two_factor_required: bool,
    /// Goes to `/api/auth/login/2fa` together with a code.
    pub challenge: String,
    /// How it can be answered.
    pub methods: [&'static str; 2],
}

/// Either tokens or a challenge.
#[derive(Debug, Serialize, ToSchema)]
#[serde(untagged)]
#[expect(clippy::large_enum_variant, reason = "lives for one answer")]
pub enum LoginData {
    /// Signed in.
    SignedIn(SignedIn),
    /// The second factor is still missing.
    TwoFactor(TwoFactorRequired),
}

/// Signs in with a password
///
/// Answers tokens; with a second factor active, a challenge instead. A wrong
/// password and an unknown account take the same time and are told the same.
#[utoipa::path(
    post, path = "/api/auth/login", tag = "auth", request_body = Login,
    responses((status = 200, description = "Tokens, or a second-factor challenge.", body = Success<LoginData>))
)]
pub async fn login(
    _: Anonymous,
    state: State<Identity>,
    origin: Origin,
    service: std::sync::Arc<ServiceHandle>,
    Json(body): Json<Login>,
) -> Result<Reply, ApiError> {
    let name = body.email.or(body.username).unwrap_or_default();
    let account = check_password(&state, &service, &origin, &name, body.password).await?;
    let data = state.db.write(Scope::Service, {
        let state = state.clone();
        async move |tx: &mut Tx| finish(&state, tx, &account, &origin).await
    });
    Reply::ok(data.await?)
}

async fn finish(
    state: &Identity,
    tx: &mut Tx,
    account: &Account,
    origin: &Origin,
) -> Result<LoginData, Error> {
    if account.two_factor_enabled {
        return Ok(LoginData::TwoFactor(challenge(state, tx, account).await?));
    }
    let (tokens, _) = state
        .start_session(tx, account, origin, Through::Password, false)
        .await?;
    let profile = profiles::find(tx, account.id).await?;
    let user = state.user(account, &profile)?;
    Ok(LoginData::SignedIn(SignedIn::new(tokens, user)))
}

/// Makes a challenge for the second factor.
pub async fn challenge(state: &Identity, tx: &mut Tx, account: &Account) -> Result<TwoFactorRequired, Error> {
    let token = secret::token("plt_")?;
    let new = NewToken {
        hash: &secret::hash(&token),
        account: account.id,
        purpose: Purpose::TwoFactor,
        made_at: state.now(),
        lifetime: CHALLENGE_LIFETIME,
    };
    single_use::insert(tx, &new).await?;
    Ok(TwoFactorRequired {
        two_factor_required: true,
        challenge: token,
        methods: ["totp", "recovery_code"],
    })
}

/// The account that `name` and `password` belong to, unless something speaks against it.
pub async fn check_password(
    state: &State<Identity>,
    service: &ServiceHandle,
    origin: &Origin,
    name: &str,
    password: String,
) -> Result<Account, Error> {
    let key = lookup_key(name);
    take_bucket(service, origin, &key).await?;
    let account = look_up(state, key).await?;
    if let Some(account) = &account {
        hold_back(state, account, origin).await?;
    }
    let stored = account.as_ref().and_then(|a| a.password_hash.clone());
    let right = state.hasher.verify(password, stored).await?;
    let Some(account) = account else {
        return Err(Error::InvalidCredentials);
    };
    if !right {
        note_failure(state, &account, origin).await?;
        return Err(Error::InvalidCredentials);
    }
    if !account.is_active() {
        return Err(Error::Blocked);
    }
    if state.settings.require_verified_email && account.email_sealed.is_some() && !account.email_verified {
        return Err(Error::Unverified);
    }
    forget_failures(state, &account, origin).await?;
    Ok(account)
}

#[derive(Clone)]
enum Key {
    Email(String),
    Username(String),
    Nobody,
}

fn lookup_key(name: &str) -> Key {
    if let Some(address) = email::normalise(name) {
        return Key::Email(address);
    }
    username::key(name.trim()).map_or(Key::Nobody, Key::Username)
}

/// The class `auth` counts per account and address too, whether the account exists or not.
async fn take_bucket(service: &ServiceHandle, origin: &Origin, key: &Key) -> Result<(), Error> {
    let Some(limit) = service.limits.get(RateClass::Auth) else {
        return Ok(());
    };
    let account = match key {
        Key::Email(text) | Key::Username(text) => text.as_str(),
        Key::Nobody => "",
    };
    let bucket = format!("{account}\n{}", origin.address);
    let taken = parlour_http::take(service, RateClass::Auth, limit, &bucket).await?;
    taken.refused.map_or(Ok(()), |after| Err(Error::Locked(after)))
}

async fn look_up(state: &Identity, key: Key) -> Result<Option<Account>, Error> {
    let index = match &key {
        Key::Email(address) => state.email_index(address),
        _ => Vec::new(),
    };
    state
        .db
        .read(Scope::Service, async move |tx: &mut Tx| -> Result<_, Error> {
            Ok(match key {
                Key::Email(_) => accounts::by_email(tx, &index).await?,
                Key::Username(name) => accounts::by_username(tx, &name).await?,
                Key::Nobody => None,
            })
        })
        .await
}

/// Refuses an address that is locked out, and slows an account that is attacked from many.
async fn hold_back(state: &Identity, account: &Account, origin: &Origin) -> Result<(), Error> {
    let here = state.address_index(Some(origin.address));
    let everywhere = state.address_index(None);
    let now = state.now();
    let mut conn = state.db.conn().await?;
    let standing = failures::standing(&mut conn, account.id, &here, &everywhere, now).await?;
    drop(conn);
    if let Some(until) = standing.locked_until {
        return Err(Error::Locked((until - now).to_std().unwrap_or_default()));
    }
    let above = standing.from_everywhere - SLOW_AFTER;
    if above > 0 {
        let pause = Duration::from_millis(250) * u32::try_from(above).unwrap_or(1);
        tokio::time::sleep(pause.min(SLOWEST)).await;
    }
    Ok(())
}

async fn note_failure(state: &State<Identity>, account: &Account, origin: &Origin) -> Result<(), Error> {
    let here = state.address_index(Some(origin.address));
    let everywhere = state.address_index(None);
    let (id, origin, now) = (account.id, origin.clone(), state.now());
    let shared = state.clone();
    state
        .db
        .write(Scope::Service, async move |tx: &mut Tx| -> Result<_, Error> {
            let from_here = failures::add(tx, id, &here, Some(LOCK_AFTER), now).await?;
            let from_all = failures::add(tx, id, &everywhere, None, now).await?;
            let kind = match (from_here, from_all) {
                (LOCK_AFTER, _) => "account_locked",
                (_, SLOW_AFTER) => "sign_in_attack",
                _ => return Ok(()),
            };
            tracing::warn!(account = %id, kind, "sign-ins fail");
            shared.alert(tx, id, kind, Some(&origin)).await
        })
        .await
}

async fn forget_failures(state: &Identity, account: &Account, origin: &Origin) -> Result<(), Error> {
    let here = state.address_index(Some(origin.address));
    Ok(failures::clear(&mut *state.db.conn().await?, account.id, &here).await?)
}
