//! Accounts.

use std::ops::Deref;

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use parlour_contracts::{Level, Permission, Role};
use parlour_db::Conn;
use uuid::Uuid;

use crate::schema::accounts;

/// What an account shows of its person: no secret, no power.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = accounts)]
#[expect(missing_docs, reason = "the migration documents the columns")]
pub struct Person {
    pub id: Uuid,
    pub username: Option<String>,
    pub email_sealed: Option<Vec<u8>>,
    pub email_verified: bool,
    pub phone_sealed: Option<Vec<u8>>,
    pub phone_verified: bool,
    pub status: String,
    pub roles: Vec<String>,
    pub requested_role: Option<String>,
    pub two_factor_enabled: bool,
    pub created_at: DateTime<Utc>,
}

/// A row.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = accounts)]
#[expect(missing_docs, reason = "the migration documents the columns")]
pub struct Account {
    #[diesel(embed)]
    pub person: Person,
    pub email_index: Option<Vec<u8>>,
    pub password_hash: Option<String>,
    pub level: Option<String>,
    pub country_scope: Option<String>,
    pub permissions: Vec<String>,
    pub two_factor_sealed: Option<Vec<u8>>,
    pub two_factor_step: i64,
    pub not_before: DateTime<Utc>,
}

impl Deref for Account {
    type Target = Person;
    fn deref(&self) -> &Person {
        &self.person
    }
}

impl Person {
    /// The roles it has.
    pub fn roles(&self) -> Vec<Role> {
        self.roles.iter().filter_map(|name| name.parse().ok()).collect()
    }

    /// Whether it may be used.
    pub fn is_active(&self) -> bool {
        self.status == "active"
    }
}

impl Account {
    /// The permissions it was granted.
    pub fn permissions(&self) -> Vec<Permission> {
        self.permissions
            .iter()
            .filter_map(|name| name.parse().ok())
            .collect()
    }

    /// Its admin level.
    pub fn level(&self) -> Option<Level> {
        self.level.as_deref().and_then(|name| name.parse().ok())
    }

    /// Where its sealed e-mail address belongs.
    pub fn email_place(id: Uuid) -> String {
        format!("accounts.email:{id}")
    }

    /// Where its sealed phone number belongs.
    pub fn phone_place(id: Uuid) -> String {
        format!("accounts.phone:{id}")
    }

    /// Where its sealed second-factor secret belongs.
    pub fn two_factor_place(id: Uuid) -> String {
        format!("accounts.two_factor:{id}")
    }
}

/// What a new account starts with.
#[derive(Insertable)]
#[diesel(table_name = accounts)]
#[expect(missing_docs, reason = "the migration documents the columns")]
pub struct NewAccount {
    pub id: Uuid,
    pub username: Option<String>,
    pub username_key: Option<String>,
    pub email_sealed: Option<Vec<u8>>,
    pub email_index: Option<Vec<u8>>,
    pub email_verified: bool,
    pub password_hash: Option<String>,
    pub status: &'static str,
    pub roles: Vec<String>,
    pub requested_role: Option<String>,
}

/// Inserts a new account. False when its e-mail address or username are taken.
pub async fn insert(conn: &mut Conn, account: &NewAccount) -> QueryResult<bool> {
    let inserted = diesel::insert_into(accounts::table)
        .values(account)
        .on_conflict_do_nothing()
        .execute(conn)
        .await?;
    Ok(inserted == 1)
}

/// The account with this id that is not deleted.
pub async fn find(conn: &mut Conn, id: Uuid) -> QueryResult<Account> {
    accounts::table
        .find(id)
        .filter(accounts::status.ne("deleted"))
        .select(Account::as_select())
        .first(conn)
        .await
}

/// The same, locked until the end of the transaction.
pub async fn lock(conn: &mut Conn, id: Uuid) -> QueryResult<Account> {
    accounts::table
        .find(id)
        .filter(accounts::status.ne("deleted"))
        .select(Account::as_select())
        .for_update()
        .first(conn)
        .await
}

/// The account with this e-mail index.
pub async fn by_email(conn: &mut Conn, index: &[u8]) -> QueryResult<Option<Account>> {
    accounts::table
        .filter(accounts::email_index.eq(index))
        .filter(accounts::status.ne("deleted"))
        .select(Account::as_select())
        .first(conn)
        .await
        .optional()
}

/// The account with this username key.
pub async fn by_username(conn: &mut Conn, key: &str) -> QueryResult<Option<Account>> {
    accounts::table
        .filter(accounts::username_key.eq(key))
        .filter(accounts::status.ne("deleted"))
        .select(Account::as_select())
        .first(conn)
        .await
        .optional()
}

/// Sets a new password; the tokens of all sessions but `except` are dealt with by the caller.
pub async fn set_password(conn: &mut Conn, id: Uuid, hash: &str) -> QueryResult<()> {
    diesel::update(accounts::table.find(id))
        .set((
            accounts::password_hash.eq(hash),
            accounts::updated_at.eq(diesel::dsl::now),
        ))
        .execute(conn)
        .await?;
    Ok(())
}

/// Says that tokens issued before `moment` do not count any more.
pub async fn set_not_before(conn: &mut Conn, id: Uuid, moment: DateTime<Utc>) -> QueryResult<()> {
    diesel::update(accounts::table.find(id))
        .set(accounts::not_before.eq(moment))
        .execute(conn)
        .await?;
    Ok(())
}

/// Says that the e-mail address is the person's.
pub async fn set_email_verified(conn: &mut Conn, id: Uuid) -> QueryResult<()> {
    diesel::update(accounts::table.find(id))
        .set(accounts::email_verified.eq(true))
        .execute(conn)
        .await?;
    Ok(())
}

/// Sets roles; a waiting request for one is settled by it.
pub async fn set_roles(conn: &mut Conn, id: Uuid, roles: &[Role]) -> QueryResult<()> {
    let names: Vec<&str> = roles.iter().map(|role| role.name()).collect();
    diesel::update(accounts::table.find(id))
        .set((
            accounts::roles.eq(names),
            accounts::requested_role.eq(None::<String>),
            accounts::updated_at.eq(diesel::dsl::now),
        ))
        .execute(conn)
        .await?;
    Ok(())
}

/// Sets level, country scope and permissions.
pub async fn set_powers(
    conn: &mut Conn,
    id: Uuid,
    level: Option<Level>,
    country: Option<&str>,
    permissions: &[Permission],
) -> QueryResult<()> {
    let names: Vec<&str> = permissions.iter().map(|p| p.name()).collect();
    diesel::update(accounts::table.find(id))
        .set((
            accounts::level.eq(level.map(Level::name)),
            accounts::country_scope.eq(country),
            accounts::permissions.eq(names),
            accounts::updated_at.eq(diesel::dsl::now),
        ))
        .execute(conn)
        .await?;
    Ok(())
}

/// Sets `active` or `blocked`. Answers whether it was something else.
pub async fn set_status(conn: &mut Conn, id: Uuid, status: &str) -> QueryResult<bool> {
    let changed = diesel::update(accounts::table.find(id))
        .filter(accounts::status.ne_all(vec![status, "deleted"]))
        .set((
            accounts::status.eq(status),
            accounts::updated_at.eq(diesel::dsl::now),
        ))
        .execute(conn)
        .await?;
    Ok(changed == 1)
}

/// How many owners there are, locked so that two who are taken away at once take turns.
pub async fn lock_owners(conn: &mut Conn) -> QueryResult<Vec<Uuid>> {
    accounts::table
        .filter(accounts::roles.contains(vec!["owner"]))
        .filter(accounts::status.eq("active"))
        .order(accounts::id)
        .select(accounts::id)
        .for_update()
        .load(conn)
        .await
}

/// Sets or clears the second factor.
pub async fn set_two_factor(
    conn: &mut Conn,
    id: Uuid,
    sealed: Option<&[u8]>,
    enabled: bool,
) -> QueryResult<()> {
    diesel::update(accounts::table.find(id))
        .set((
            accounts::two_factor_sealed.eq(sealed),
            accounts::two_factor_enabled.eq(enabled),
        ))
        .execute(conn)
        .await?;
    Ok(())
}

/// Uses up the code of a time step. False when that step or a later one was used already.
pub async fn use_step(conn: &mut Conn, id: Uuid, step: i64) -> QueryResult<bool> {
    let used = diesel::update(accounts::table.find(id))
        .filter(accounts::two_factor_step.lt(step))
        .set(accounts::two_factor_step.eq(step))
        .execute(conn)
        .await?;
    Ok(used == 1)
}

/// Accounts whose earlier tokens stopped counting since `since`, and when.
pub async fn not_before_since(
    conn: &mut Conn,
    since: DateTime<Utc>,
) -> QueryResult<Vec<(Uuid, DateTime<Utc>)>> {
    accounts::table
        .filter(accounts::not_before.gt(since))
        .select((accounts::id, accounts::not_before))
        .load(conn)
        .await
}
