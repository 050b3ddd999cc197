//! Profiles.

use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use parlour_db::{Caller, Conn, Constant, Scope};
use uuid::Uuid;

use super::accounts::{Account, Person};
use crate::schema::{accounts, profiles};

/// A row.
#[derive(Clone, Debug, Default, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = profiles)]
// What is NULL in a changed row was cleared by the person.
#[diesel(treat_none_as_null = true)]
#[expect(missing_docs, reason = "the migration documents the columns")]
pub struct Profile {
    pub account_id: Uuid,
    pub first_name: Option<String>,
    pub last_name: Option<String>,
    pub display_name: Option<String>,
    pub avatar_url: Option<String>,
    pub bio: Option<String>,
    pub country: Option<String>,
    pub birth_sealed: Option<Vec<u8>>,
    pub zodiac: Option<String>,
    pub locale: String,
    pub time_zone: Option<String>,
    pub languages: Vec<String>,
    pub specialities: Vec<String>,
}

impl Profile {
    /// Where its sealed birth data belongs.
    pub fn birth_place(id: Uuid) -> String {
        format!("profiles.birth:{id}")
    }

    /// What others call the person: the chosen name, else first and last name.
    pub fn shown_name(&self, username: Option<&str>) -> String {
        if let Some(name) = self.display_name.as_deref().filter(|name| !name.is_empty()) {
            return name.to_owned();
        }
        let parts = [self.first_name.as_deref(), self.last_name.as_deref()];
        let full = parts.into_iter().flatten().collect::<Vec<_>>().join(" ");
        if full.is_empty() {
            username.unwrap_or_default().to_owned()
        } else {
            full
        }
    }
}

/// What a person has done, as other services told.
#[derive(Clone, Copy, Debug, Default, Queryable, Selectable)]
#[diesel(table_name = profiles)]
#[expect(missing_docs, reason = "the names say it")]
pub struct Counters {
    pub total_appointments: i64,
    pub completed_appointments: i64,
    pub goals_set: i64,
    pub goals_completed: i64,
}

/// Inserts a new profile.
pub async fn insert(conn: &mut Conn, profile: &Profile) -> QueryResult<()> {
    diesel::insert_into(profiles::table)
        .values(profile)
        .execute(conn)
        .await?;
    Ok(())
}

/// The profile of an account.
pub async fn find(conn: &mut Conn, id: Uuid) -> QueryResult<Profile> {
    profiles::table
        .find(id)
        .select(Profile::as_select())
        .first(conn)
        .await
}

/// A person whose account is not gone, and their profile, as they see it.
pub async fn with_person(mut conn: &Conn, id: Uuid) -> QueryResult<(Person, Profile)> {
    let both = accounts::table
        .inner_join(profiles::table)
        .filter(Caller::from(Scope::Person(id)))
        .filter(accounts::id.eq(id))
        .filter(accounts::status.ne("deleted"))
        .select((Person::as_select(), Profile::as_select()));
    Constant(both).get_result(&mut conn).await
}

/// Accounts that are not gone, with their profiles, by id after this one; nobody changes
/// them before the end of the transaction.
pub async fn page(conn: &mut Conn, after: Uuid, limit: i64) -> QueryResult<Vec<(Account, Profile)>> {
    accounts::table
        .inner_join(profiles::table)
        .filter(accounts::id.gt(after))
        .filter(accounts::status.ne("deleted"))
        .order(accounts::id)
        .limit(limit)
        .select((Account::as_select(), Profile::as_select()))
        .for_share()
        .load(conn)
        .await
}

/// Writes the profile as a whole.
pub async fn save(conn: &mut Conn, profile: &Profile) -> QueryResult<()> {
    diesel::update(profiles::table.find(profile.account_id))
        .set(profile)
        .execute(conn)
        .await?;
    Ok(())
}

/// The counters of an account.
pub async fn counters(conn: &mut Conn, id: Uuid) -> QueryResult<Counters> {
    profiles::table
        .find(id)
        .select(Counters::as_select())
        .first(conn)
        .await
}

/// One of the four counters.
#[derive(Clone, Copy, Debug)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Counter {
    AppointmentBooked,
    AppointmentCompleted,
    GoalSet,
    GoalCompleted,
}

/// Adds one to a counter.
pub async fn count(conn: &mut Conn, id: Uuid, counter: Counter) -> QueryResult<()> {
    let row = diesel::update(profiles::table.find(id));
    match counter {
        Counter::AppointmentBooked => {
            row.set(profiles::total_appointments.eq(profiles::total_appointments + 1))
                .execute(conn)
                .await?
        }
        Counter::AppointmentCompleted => {
            row.set(profiles::completed_appointments.eq(profiles::completed_appointments + 1))
                .execute(conn)
                .await?
        }
        Counter::GoalSet => {
            row.set(profiles::goals_set.eq(profiles::goals_set + 1))
                .execute(conn)
                .await?
        }
        Counter::GoalCompleted => {
            row.set(profiles::goals_completed.eq(profiles::goals_completed + 1))
                .execute(conn)
                .await?
        }
    };
    Ok(())
}
