//! What is answered about people.

use chrono::{NaiveDate, NaiveTime};
use parlour_contracts::Role;
use parlour_http::Time;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::error::Error;
use crate::issuing::Tokens;
use crate::state::Identity;
use crate::store::accounts::Person;
use crate::store::profiles::Profile;

/// An account, as its owner and admins see it.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[expect(missing_docs, reason = "the names say it")]
pub struct User {
    pub id: Uuid,
    pub email: Option<String>,
    pub username: Option<String>,
    pub first_name: Option<String>,
    pub last_name: Option<String>,
    pub display_name: String,
    pub avatar_url: Option<String>,
    pub roles: Vec<String>,
    /// `active`, `blocked`, or `pending` while a requested role waits for an admin.
    pub status: String,
    pub email_verified: bool,
    pub phone_verified: bool,
    pub two_factor_enabled: bool,
    pub locale: String,
    pub time_zone: Option<String>,
    pub country: Option<String>,
    pub created_at: Time,
}

/// `{user}`
#[derive(Debug, Serialize, ToSchema)]
pub struct UserData {
    /// The account.
    pub user: User,
}

/// A place on Earth.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Place {
    /// As the person calls it.
    #[schema(max_length = 200)]
    pub name: String,
    /// Degrees north.
    #[schema(minimum = -90, maximum = 90)]
    pub latitude: Option<f64>,
    /// Degrees east.
    #[schema(minimum = -180, maximum = 180)]
    pub longitude: Option<f64>,
    /// IANA name.
    #[schema(max_length = 64)]
    pub time_zone: Option<String>,
}

/// When and where somebody was born.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the names say it")]
pub struct Birth {
    pub date: Option<NaiveDate>,
    pub time: Option<NaiveTime>,
    pub place: Option<Place>,
}

/// An account with everything its owner may fill in.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[expect(missing_docs, reason = "the names say it")]
pub struct FullProfile {
    #[serde(flatten)]
    pub user: User,
    pub bio: Option<String>,
    /// E.164.
    pub phone: Option<String>,
    pub birth_date: Option<NaiveDate>,
    /// `HH:MM`.
    pub birth_time: Option<String>,
    pub birth_place: Option<Place>,
    pub zodiac: Option<String>,
    pub languages: Vec<String>,
    pub specialities: Vec<String>,
}

/// The tokens of a sign-in and whose they are.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[expect(missing_docs, reason = "the names say it")]
pub struct SignedIn {
    pub access_token: String,
    pub refresh_token: String,
    /// Always `Bearer`.
    pub token_type: &'static str,
    /// Seconds until the access token ends.
    pub expires_in: i64,
    pub user: User,
}

impl SignedIn {
    /// Puts tokens and user together.
    pub fn new(tokens: Tokens, user: User) -> Self {
        Self {
            access_token: tokens.access,
            refresh_token: tokens.refresh,
            token_type: "Bearer",
            expires_in: tokens.expires_in,
            user,
        }
    }
}

/// SafeTalk calls readers counsellors.
pub fn safetalk_role(roles: &[Role]) -> &'static str {
    match roles.iter().max() {
        Some(Role::Reader) => "counselor",
        Some(role) => role.name(),
        None => "client",
    }
}

impl Identity {
    /// What is answered about an account.
    pub fn user(&self, account: &Person, profile: &Profile) -> Result<User, Error> {
        let waits = account.is_active() && account.requested_role.is_some();
        Ok(User {
            id: account.id,
            email: self.email_of(account)?,
            username: account.username.clone(),
            first_name: profile.first_name.clone(),
            last_name: profile.last_name.clone(),
            display_name: profile.shown_name(account.username.as_deref()),
            avatar_url: profile.avatar_url.clone(),
            roles: account.roles.clone(),
            status: if waits {
                "pending".to_owned()
            } else {
                account.status.clone()
            },
            email_verified: account.email_verified,
            phone_verified: account.phone_verified,
            two_factor_enabled: account.two_factor_enabled,
            locale: profile.locale.clone(),
            time_zone: profile.time_zone.clone(),
            country: profile.country.clone(),
            created_at: account.created_at.into(),
        })
    }

    /// An account with everything its owner may fill in.
    pub fn full_profile(&self, account: &Person, profile: &Profile) -> Result<FullProfile, Error> {
        let birth = self.birth_of(profile)?;
        Ok(FullProfile {
            user: self.user(account, profile)?,
            bio: profile.bio.clone(),
            phone: self.phone_of(account)?,
            birth_date: birth.date,
            birth_time: birth.time.map(|time| time.format("%H:%M").to_string()),
            birth_place: birth.place,
            zodiac: profile.zodiac.clone(),
            languages: profile.languages.clone(),
            specialities: profile.specialities.clone(),
        })
    }

    /// The birth data of a profile.
    pub fn birth_of(&self, profile: &Profile) -> Result<Birth, Error> {
        let Some(sealed) = &profile.birth_sealed else {
            return Ok(Birth::default());
        };
        let plain = self
            .vault
            .open(&Profile::birth_place(profile.account_id), sealed)?;
        serde_json::from_slice(&plain).map_err(|error| Error::Internal(error.to_string()))
    }

    /// Seals birth data into a profile and sets the sign that follows from it.
    pub fn set_birth(&self, profile: &mut Profile, birth: &Birth) -> Result<(), Error> {
        let plain = serde_json::to_vec(birth).map_err(|error| Error::Internal(error.to_string()))?;
        let place = Profile::birth_place(profile.account_id);
        profile.birth_sealed = Some(self.vault.seal(&place, &plain)?);
        profile.zodiac = birth
            .date
            .and_then(crate::domain::zodiac::of)
            .map(|sign| sign.key.to_owned());
        Ok(())
    }
}
