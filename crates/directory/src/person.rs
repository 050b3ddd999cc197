//! A person, and how to find one.

use std::collections::HashMap;

use diesel::{
    AsChangeset, ExpressionMethods as _, Insertable, OptionalExtension as _, QueryDsl as _, Queryable,
    Selectable, SelectableHelper as _,
};
use diesel_async::RunQueryDsl as _;
use parlour_contracts::Role;
use parlour_db::{Conn, DbError};
use uuid::Uuid;

use crate::schema::people;

/// The status of somebody whose account is gone.
pub const DELETED: &str = "deleted";

/// What may be shown of a person. Of one whose account was deleted only the id is
/// left, so that what they took part in can still say that somebody did.
#[derive(Clone, Debug, PartialEq, Eq, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = people, check_for_backend(diesel::pg::Pg), treat_none_as_null = true)]
pub struct Person {
    /// Their account.
    pub id: Uuid,
    /// The name that they chose to be found by.
    pub username: Option<String>,
    /// The name that identity shows for them; empty where there is none.
    pub display_name: String,
    /// First name.
    pub first_name: Option<String>,
    /// Last name.
    pub last_name: Option<String>,
    /// Where their picture is.
    pub avatar_url: Option<String>,
    /// The names of their roles; see [`Person::is`].
    pub roles: Vec<String>,
    /// ISO 3166-1 alpha-2.
    pub country: Option<String>,
    /// BCP 47.
    pub locale: String,
    /// IANA name.
    pub time_zone: Option<String>,
    /// What a reader offers, such as "tarot".
    pub specialities: Vec<String>,
    /// "active", "blocked", "pending" or [`DELETED`].
    pub status: String,
    /// The number of the event that told this, among those of the account.
    pub version: i64,
}

impl Person {
    /// The name to show: the display name, else first and last name, else the
    /// username. Empty for a deleted account: what to write there is the reader's language's business.
    pub fn name(&self) -> String {
        if !self.display_name.is_empty() {
            return self.display_name.clone();
        }
        let parts = [self.first_name.as_deref(), self.last_name.as_deref()];
        let full = parts.into_iter().flatten().collect::<Vec<_>>().join(" ");
        if full.is_empty() {
            self.username.clone().unwrap_or_default()
        } else {
            full
        }
    }

    /// Whether they have `role` itself.
    pub fn is(&self, role: Role) -> bool {
        self.roles.iter().any(|name| name == role.name())
    }

    /// Whether their account is gone.
    pub fn is_deleted(&self) -> bool {
        self.status == DELETED
    }

    /// What is left of somebody whose account is gone.
    pub(crate) fn deleted(id: Uuid, version: i64) -> Self {
        Self {
            id,
            username: None,
            display_name: String::new(),
            first_name: None,
            last_name: None,
            avatar_url: None,
            roles: Vec::new(),
            country: None,
            locale: String::new(),
            time_zone: None,
            specialities: Vec::new(),
            status: DELETED.to_owned(),
            version,
        }
    }
}

/// The person, if this service has heard of them.
pub async fn find(conn: &mut Conn, id: Uuid) -> Result<Option<Person>, DbError> {
    let found = people::table
        .find(id)
        .select(Person::as_select())
        .first(conn)
        .await;
    Ok(found.optional()?)
}

/// Those of `ids` that this service has heard of, by id, in one query.
pub async fn find_many(conn: &mut Conn, ids: &[Uuid]) -> Result<HashMap<Uuid, Person>, DbError> {
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let found: Vec<Person> = people::table
        .filter(people::id.eq_any(ids))
        .select(Person::as_select())
        .load(conn)
        .await?;
    Ok(found.into_iter().map(|person| (person.id, person)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_is_the_best_there_is() {
        let mut person = Person::deleted(Uuid::nil(), 1);
        assert_eq!(person.name(), "");
        person.username = Some("ana".into());
        assert_eq!(person.name(), "ana");
        person.last_name = Some("Ruiz".into());
        assert_eq!(person.name(), "Ruiz");
        person.first_name = Some("Ana".into());
        assert_eq!(person.name(), "Ana Ruiz");
        person.display_name = "Madame A.".into();
        assert_eq!(person.name(), "Madame A.");
    }
}
