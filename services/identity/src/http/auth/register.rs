//! `POST /api/auth/register`

use chrono::{DateTime, Utc};
use parlour_contracts::{Role, id};
use parlour_db::{Scope, Tx};
use parlour_http::{
    Anonymous, ApiError, Check, Json, Once, Origin, Problems, RateClass, Reply, Routes, State, Success,
};
use serde::Deserialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::domain::{email, password, text, username};
use crate::error::Error;
use crate::state::Identity;
use crate::store::accounts::{self, Account, NewAccount};
use crate::store::profiles::{self, Profile};
use crate::telling::Mail;
use crate::view::{User, UserData};

/// Registers the route.
pub fn route(routes: Routes) -> Routes {
    routes.add::<__path_register, _, _, _>(RateClass::Auth, register)
}

/// A new account: an e-mail address, a username, or both.
#[derive(Debug, Deserialize, ToSchema)]
pub struct Register {
    /// Where the person can be reached.
    #[schema(max_length = 254, format = "email")]
    pub email: Option<String>,
    /// 3 to 32 letters, digits, `.`, `_` or `-`.
    #[schema(max_length = 32)]
    pub username: Option<String>,
    /// 8 to 128 characters, none of the common ones.
    #[schema(min_length = 8, max_length = 128)]
    pub password: String,
    /// First name.
    #[schema(max_length = 100)]
    pub first_name: Option<String>,
    /// Last name.
    #[schema(max_length = 100)]
    pub last_name: Option<String>,
    /// BCP 47, such as `ar`.
    #[schema(max_length = 35, pattern = "^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*$")]
    pub locale: Option<String>,
}

impl Check for Register {
    fn check(&self, problems: &mut Problems) {
        let given = self.email.is_some() || self.username.is_some();
        problems.require(given, "email", "an e-mail address or a username is required");
        if let Some(address) = &self.email {
            let fine = email::normalise(address).is_some();
            problems.require(fine, "email", "must be a valid e-mail address");
        }
        if let Some(name) = &self.username {
            let fine = username::key(name).is_some();
            let rule = "must have 3 to 32 letters, digits, dots, hyphens or underscores";
            problems.require(fine, "username", rule);
        }
        for (field, value) in [("first_name", &self.first_name), ("last_name", &self.last_name)] {
            let fine = value.as_deref().is_none_or(text::is_plain);
            problems.require(fine, field, "must not contain control characters");
        }
        if let Some(problem) = password::problem(&self.password, &self.names()) {
            problems.add("password", problem);
        }
    }
}

impl Register {
    fn names(&self) -> Vec<&str> {
        let local = self
            .email
            .as_deref()
            .and_then(|e| e.rsplit_once('@'))
            .map(|(local, _)| local);
        [self.email.as_deref(), local, self.username.as_deref()]
            .into_iter()
            .flatten()
            .collect()
    }
}

/// Creates an account with the role client
///
/// A verification mail goes to the address. With the setting `hide_accounts` a
/// taken address is answered like a new one, and its owner gets a mail instead.
#[utoipa::path(
    post, path = "/api/auth/register", tag = "auth", request_body = Register,
    responses((status = 201, description = "The account.", body = Success<UserData>))
)]
pub async fn register(
    _: Anonymous,
    state: State<Identity>,
    origin: Origin,
    Json(body): Json<Register>,
    once: Once,
) -> Result<Reply, ApiError> {
    let password_hash = state.hasher.hash(body.password.clone()).await?;
    let applicant = Applicant {
        email: body.email.as_deref().and_then(email::normalise),
        username: body.username.map(|name| name.trim().to_owned()),
        password_hash: Some(password_hash),
        first_name: body.first_name,
        last_name: body.last_name,
        locale: body.locale,
        requested_role: None,
    };
    once.write(Scope::Service, async move |tx: &mut Tx| -> Result<Reply, Error> {
        let user = admit(&state, tx, &origin, applicant).await?;
        Ok(Reply::created(UserData { user })?)
    })
    .await
}

/// Somebody who wants an account, checked.
#[expect(missing_docs, reason = "the names say it")]
pub struct Applicant {
    pub email: Option<String>,
    pub username: Option<String>,
    pub password_hash: Option<String>,
    pub first_name: Option<String>,
    pub last_name: Option<String>,
    pub locale: Option<String>,
    pub requested_role: Option<Role>,
}

/// Makes the account of an applicant, or with `hide_accounts` answers as if.
pub async fn admit(
    state: &Identity,
    tx: &mut Tx,
    origin: &Origin,
    applicant: Applicant,
) -> Result<User, Error> {
    let id = id::new();
    if !create(state, tx, id, &applicant).await? {
        return already_there(state, tx, id, applicant).await;
    }
    let account = accounts::find(tx, id).await?;
    let profile = profiles::find(tx, id).await?;
    state.tell_registered(tx, &account, &profile, "password").await?;
    state
        .mail_link(tx, &account, &profile.locale, Mail::VerifyEmail)
        .await?;
    state
        .audit(tx, origin, "account.registered", id, (None, None))
        .await?;
    state.user(&account, &profile)
}

/// Inserts account and profile. False when e-mail address or username are taken.
pub async fn create(state: &Identity, tx: &mut Tx, id: Uuid, new: &Applicant) -> Result<bool, Error> {
    let place = Account::email_place(id);
    let email = new.email.as_deref();
    let inserted = accounts::insert(
        tx,
        &NewAccount {
            id,
            username: new.username.clone(),
            username_key: new.username.as_deref().and_then(username::key),
            email_sealed: email.map(|e| state.vault.seal_text(&place, e)).transpose()?,
            email_index: email.map(|e| state.email_index(e)),
            email_verified: false,
            password_hash: new.password_hash.clone(),
            status: "active",
            roles: vec![Role::Client.name().to_owned()],
            requested_role: new.requested_role.map(|role| role.name().to_owned()),
        },
    )
    .await?;
    if inserted {
        let profile = Profile {
            account_id: id,
            first_name: new.first_name.clone(),
            last_name: new.last_name.clone(),
            locale: new.locale.clone().unwrap_or_else(|| "en".to_owned()),
            ..Profile::default()
        };
        profiles::insert(tx, &profile).await?;
    }
    Ok(inserted)
}

async fn already_there(state: &Identity, tx: &mut Tx, id: Uuid, applicant: Applicant) -> Result<User, Error> {
    let taken = match &applicant.email {
        Some(address) => accounts::by_email(tx, &state.email_index(address)).await?,
        None => None,
    };
    let (Some(owner), true) = (taken, state.settings.hide_accounts) else {
        return Err(Error::Taken);
    };
    let address = applicant.email.clone().unwrap_or_default();
    let locale = profiles::find(tx, owner.id).await?.locale;
    let nothing = serde_json::json!({});
    state
        .mail(tx, owner.id, &address, &locale, Mail::AccountExists, &nothing)
        .await?;
    Ok(as_if_new(id, applicant, state.now()))
}

/// What a new account would have been answered.
fn as_if_new(id: Uuid, applicant: Applicant, now: DateTime<Utc>) -> User {
    let profile = Profile {
        first_name: applicant.first_name.clone(),
        last_name: applicant.last_name.clone(),
        ..Profile::default()
    };
    User {
        id,
        display_name: profile.shown_name(applicant.username.as_deref()),
        email: applicant.email,
        username: applicant.username,
        first_name: applicant.first_name,
        last_name: applicant.last_name,
        avatar_url: None,
        roles: vec![Role::Client.name().to_owned()],
        status: "active".to_owned(),
        email_verified: false,
        phone_verified: false,
        two_factor_enabled: false,
        locale: applicant.locale.unwrap_or_else(|| "en".to_owned()),
        time_zone: None,
        country: None,
        created_at: now.into(),
    }
}
