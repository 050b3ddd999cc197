//! What a person may change about themselves, and when it is wrong.

use chrono::{Datelike as _, NaiveDate, NaiveTime};
use parlour_http::{Check, Problems};
use serde::{Deserialize, Deserializer};
use utoipa::ToSchema;

use crate::domain::{country, text, zodiac};
use crate::error::Error;
use crate::phone;
use crate::state::Identity;
use crate::store::profiles::Profile;
use crate::view::Place;

/// Fields of a profile. Left out: stays. Null: cleared.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(default)]
#[expect(missing_docs, reason = "the names say it")]
pub struct ProfileChange {
    #[serde(deserialize_with = "given")]
    #[schema(value_type = Option<String>, max_length = 100)]
    pub first_name: Option<Option<String>>,
    #[serde(deserialize_with = "given")]
    #[schema(value_type = Option<String>, max_length = 100)]
    pub last_name: Option<Option<String>>,
    #[serde(deserialize_with = "given")]
    #[schema(value_type = Option<String>, max_length = 100)]
    pub display_name: Option<Option<String>>,
    /// An absolute https URL, or a path on this host.
    #[serde(deserialize_with = "given")]
    #[schema(value_type = Option<String>, max_length = 2000)]
    pub avatar_url: Option<Option<String>>,
    #[serde(deserialize_with = "given")]
    #[schema(value_type = Option<String>, max_length = 2000)]
    pub bio: Option<Option<String>>,
    /// ISO 3166-1 alpha-2.
    #[serde(deserialize_with = "given")]
    #[schema(value_type = Option<String>, max_length = 2)]
    pub country: Option<Option<String>>,
    /// In international form; it counts as unverified until it is proved.
    #[serde(deserialize_with = "given")]
    #[schema(value_type = Option<String>, max_length = 32)]
    pub phone: Option<Option<String>>,
    /// Not in the future and not more than 130 years ago.
    #[serde(deserialize_with = "given")]
    #[schema(value_type = Option<String>, format = "date")]
    pub birth_date: Option<Option<NaiveDate>>,
    /// `HH:MM`.
    #[serde(deserialize_with = "given")]
    #[schema(value_type = Option<String>, pattern = "^([01][0-9]|2[0-3]):[0-5][0-9]$")]
    pub birth_time: Option<Option<String>>,
    #[serde(deserialize_with = "given")]
    #[schema(value_type = Option<Place>)]
    pub birth_place: Option<Option<Place>>,
    /// One of the keys of `/api/meta/zodiacs`; follows from the birth date when there is one.
    #[serde(deserialize_with = "given")]
    #[schema(value_type = Option<String>, max_length = 20)]
    pub zodiac: Option<Option<String>>,
    /// BCP 47.
    #[schema(max_length = 35, pattern = "^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*$")]
    pub locale: Option<String>,
    /// IANA name.
    #[serde(deserialize_with = "given")]
    #[schema(value_type = Option<String>, max_length = 64)]
    pub time_zone: Option<Option<String>>,
    /// BCP 47 each.
    #[schema(max_items = 20)]
    pub languages: Option<Vec<String>>,
    /// What a reader offers, such as `tarot`.
    #[schema(max_items = 20)]
    pub specialities: Option<Vec<String>>,
}

/// A field that is there, with a value or null.
#[expect(clippy::option_option, reason = "left out, null and a value are three things")]
fn given<'de, T: Deserialize<'de>, D: Deserializer<'de>>(from: D) -> Result<Option<Option<T>>, D::Error> {
    Option::<T>::deserialize(from).map(Some)
}

#[expect(clippy::option_option, clippy::ref_option, reason = "the type of the fields")]
fn value<T>(field: &Option<Option<T>>) -> Option<&T> {
    field.as_ref().and_then(Option::as_ref)
}

impl Check for ProfileChange {
    fn check(&self, problems: &mut Problems) {
        let names = [
            ("first_name", &self.first_name),
            ("last_name", &self.last_name),
            ("display_name", &self.display_name),
        ];
        for (field, name) in names {
            let fine = value(name).is_none_or(|n| text::is_plain(n));
            problems.require(fine, field, "must not contain control characters");
        }
        let fine = value(&self.bio).is_none_or(|bio| text::is_plain_paragraph(bio));
        problems.require(fine, "bio", "must not contain control characters");
        let fine = value(&self.avatar_url).is_none_or(|url| is_link(url));
        problems.require(fine, "avatar_url", "must be an https URL or a path");
        let fine = value(&self.country).is_none_or(|code| country::is_known(code));
        problems.require(fine, "country", "must be an ISO 3166-1 alpha-2 code");
        let fine = value(&self.phone).is_none_or(|number| phone::parse(number).is_some());
        problems.require(fine, "phone", "must be a valid number in international form");
        let fine = value(&self.zodiac).is_none_or(|key| zodiac::SIGNS.iter().any(|s| s.key == key));
        problems.require(fine, "zodiac", "must be one of /api/meta/zodiacs");
        let fine = value(&self.time_zone).is_none_or(|zone| is_time_zone(zone));
        problems.require(fine, "time_zone", "must be an IANA time zone");
        if let Some(place) = value(&self.birth_place) {
            let fine = place.time_zone.as_deref().is_none_or(is_time_zone);
            problems.require(fine, "birth_place.time_zone", "must be an IANA time zone");
            let fine = text::is_plain(&place.name);
            problems.require(fine, "birth_place.name", "must not contain control characters");
        }
        for (field, list) in [
            ("languages", &self.languages),
            ("specialities", &self.specialities),
        ] {
            let fine = list.iter().flatten().all(|item| is_tag(item));
            problems.require(fine, field, "must be short names of letters, digits, - and _");
        }
    }
}

fn is_link(text: &str) -> bool {
    let path = text.starts_with('/') && !text.starts_with("//");
    let absolute =
        url::Url::parse(text).is_ok_and(|url| matches!(url.scheme(), "https" | "http") && url.has_host());
    text::is_plain(text) && (path || absolute)
}

fn is_birth_date(date: NaiveDate, today: NaiveDate) -> bool {
    date <= today && date.year() > today.year() - 130
}

fn is_time_zone(name: &str) -> bool {
    name.parse::<chrono_tz::Tz>().is_ok()
}

fn is_tag(item: &str) -> bool {
    (1..=40).contains(&item.chars().count())
        && item.chars().all(|c| c.is_alphanumeric() || c == '-' || c == '_')
}

impl ProfileChange {
    /// The names of the fields that are given, for the audit log.
    pub fn fields(&self) -> Vec<&'static str> {
        let given = [
            ("first_name", self.first_name.is_some()),
            ("last_name", self.last_name.is_some()),
            ("display_name", self.display_name.is_some()),
            ("avatar_url", self.avatar_url.is_some()),
            ("bio", self.bio.is_some()),
            ("country", self.country.is_some()),
            ("phone", self.phone.is_some()),
            ("birth_date", self.birth_date.is_some()),
            ("birth_time", self.birth_time.is_some()),
            ("birth_place", self.birth_place.is_some()),
            ("zodiac", self.zodiac.is_some()),
            ("locale", self.locale.is_some()),
            ("time_zone", self.time_zone.is_some()),
            ("languages", self.languages.is_some()),
            ("specialities", self.specialities.is_some()),
        ];
        given
            .into_iter()
            .filter(|(_, is)| *is)
            .map(|(name, _)| name)
            .collect()
    }

    /// Writes what is given into `profile`. Refuses a birth date that cannot be one today.
    pub fn into_profile(self, state: &Identity, profile: &mut Profile) -> Result<(), Error> {
        let set = |field: &mut Option<String>, change: Option<Option<String>>| {
            if let Some(value) = change {
                *field = value;
            }
        };
        set(&mut profile.first_name, self.first_name);
        set(&mut profile.last_name, self.last_name);
        set(&mut profile.display_name, self.display_name);
        set(&mut profile.avatar_url, self.avatar_url);
        set(&mut profile.bio, self.bio);
        set(&mut profile.country, self.country);
        set(&mut profile.zodiac, self.zodiac);
        set(&mut profile.time_zone, self.time_zone);
        profile.locale = self.locale.unwrap_or(std::mem::take(&mut profile.locale));
        profile.languages = self.languages.unwrap_or(std::mem::take(&mut profile.languages));
        profile.specialities = self
            .specialities
            .unwrap_or(std::mem::take(&mut profile.specialities));
        let born = self.birth_date.is_some() || self.birth_time.is_some() || self.birth_place.is_some();
        if born {
            let mut birth = state.birth_of(profile)?;
            if let Some(date) = self.birth_date {
                let today = state.now().date_naive();
                if !date.is_none_or(|date| is_birth_date(date, today)) {
                    return Err(Error::Field("birth_date", "must be within the last 130 years"));
                }
                birth.date = date;
            }
            if let Some(time) = self.birth_time {
                birth.time = time.and_then(|t| NaiveTime::parse_from_str(&t, "%H:%M").ok());
            }
            if let Some(place) = self.birth_place {
                birth.place = place;
            }
            state.set_birth(profile, &birth)?;
        }
        Ok(())
    }
}
