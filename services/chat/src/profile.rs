//! How a person is shown beside what they say.

use std::borrow::Cow;

use diesel::sql_types::{Nullable, Text};
use serde::{Serialize, Serializer};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::pushing::PushPerson;

/// What is shown of a person: columns of `people`, all empty for somebody who is not known.
#[derive(Clone, Debug, Default)]
#[expect(missing_docs, reason = "the directory documents the columns")]
pub struct Profile {
    pub username: Option<String>,
    pub display_name: Option<String>,
    pub first_name: Option<String>,
    pub last_name: Option<String>,
    pub avatar_url: Option<String>,
}

/// The columns of [`Profile`], of `p`.
macro_rules! profile_columns {
    () => {
        "p.username, p.display_name, p.first_name, p.last_name, p.avatar_url"
    };
}
pub(crate) use profile_columns;

/// The types of [`Profile`]'s columns.
pub(crate) type ProfileTypes = (
    Nullable<Text>,
    Nullable<Text>,
    Nullable<Text>,
    Nullable<Text>,
    Nullable<Text>,
);

/// `{first_name, last_name, avatar_url}`
#[derive(Debug, Serialize, ToSchema)]
pub struct ProfileView<'p> {
    /// First name.
    pub first_name: Option<Cow<'p, str>>,
    /// Last name.
    pub last_name: Option<&'p str>,
    /// Where their picture is.
    pub avatar_url: Option<&'p str>,
}

impl Profile {
    /// The name to show: the display name, else first and last name, else the username.
    pub fn name(&self) -> String {
        if let Some(name) = self.display_name.as_deref().filter(|name| !name.is_empty()) {
            return name.to_owned();
        }
        let parts = [self.first_name.as_deref(), self.last_name.as_deref()];
        let full = parts.into_iter().flatten().collect::<Vec<_>>().join(" ");
        if full.is_empty() {
            self.username.clone().unwrap_or_default()
        } else {
            full
        }
    }

    /// As answers show it. Who has no first name is shown by the name that they have.
    pub fn view(&self) -> ProfileView<'_> {
        let first_name = self.first_name.as_deref().map(Cow::Borrowed);
        let name = || Some(self.name()).filter(|name| !name.is_empty());
        ProfileView {
            first_name: first_name.or_else(|| name().map(Cow::Owned)),
            last_name: self.last_name.as_deref(),
            avatar_url: self.avatar_url.as_deref(),
        }
    }

    /// As the sockets show it.
    pub fn pushed(&self, id: Uuid) -> PushPerson {
        PushPerson {
            id,
            name: self.name(),
            avatar: self.avatar_url.clone(),
        }
    }
}

impl Serialize for Profile {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.view().serialize(serializer)
    }
}
