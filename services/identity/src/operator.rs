//! What an operator's command does to accounts.

use parlour_contracts::{Role, id};
use parlour_db::{Scope, Tx};
use parlour_events::AuditEntry;
use serde_json::json;

use crate::domain::{email, password, secret, username};
use crate::error::Error;
use crate::http::admin::grants::tell_power;
use crate::http::auth::register::{Applicant, create};
use crate::state::Identity;
use crate::store::accounts;
use crate::store::profiles;
use crate::store::single_use::{self, NewToken, Purpose};
use crate::telling::{LINK_LIFETIME, Mail};
use crate::view::User;

/// A user to make.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "the names say it")]
pub struct NewUser {
    pub email: String,
    pub username: Option<String>,
    pub password: Option<String>,
    pub roles: Vec<Role>,
}

/// Makes an account with these roles, its e-mail address verified. The error is a sentence.
pub async fn create_user(state: &std::sync::Arc<Identity>, new: NewUser) -> Result<User, String> {
    let applicant = applicant(state, &new).await?;
    let (shared, roles) = (state.clone(), new.roles);
    let made = state
        .db
        .write(Scope::Service, async move |tx: &mut Tx| -> Result<User, Error> {
            make(&shared, tx, &applicant, &roles).await
        });
    made.await.map_err(|error| sentence(&error))
}

/// Makes the first owner, or another one, and answers the link that sets the password.
pub async fn create_owner(state: &std::sync::Arc<Identity>, address: &str) -> Result<String, String> {
    let new = NewUser {
        email: address.to_owned(),
        username: None,
        password: None,
        roles: vec![Role::Owner],
    };
    let applicant = applicant(state, &new).await?;
    let shared = state.clone();
    let made = state.db.write(
        Scope::Service,
        async move |tx: &mut Tx| -> Result<String, Error> {
            let user = make(&shared, tx, &applicant, &[Role::Owner]).await?;
            let address = user.email.unwrap_or_default();
            invite(&shared, tx, user.id, &address).await
        },
    );
    made.await.map_err(|error| sentence(&error))
}

/// Accounts that are told of in one transaction.
const ANNOUNCED_AT_ONCE: i64 = 200;

/// Tells of every account again, for services that were not there when it was made: what
/// may be shown of people and how to reach them. Answers how many there were.
pub async fn announce(state: &std::sync::Arc<Identity>) -> Result<usize, String> {
    let (mut announced, mut after) = (0, uuid::Uuid::nil());
    loop {
        let shared = state.clone();
        let page = state.db.write(
            Scope::Service,
            async move |tx: &mut Tx| -> Result<Vec<uuid::Uuid>, Error> {
                let page = profiles::page(tx, after, ANNOUNCED_AT_ONCE).await?;
                for (account, profile) in &page {
                    shared.tell_profile(tx, account, profile).await?;
                    shared.tell_contact(tx, account).await?;
                }
                Ok(page.iter().map(|(account, _)| account.id).collect())
            },
        );
        let page = page.await.map_err(|error| sentence(&error))?;
        announced += page.len();
        match page.last() {
            Some(last) => after = *last,
            None => return Ok(announced),
        }
    }
}

async fn invite(state: &Identity, tx: &mut Tx, id: uuid::Uuid, address: &str) -> Result<String, Error> {
    let token = secret::token("plw_")?;
    let url = state.settings.reset_url.replace("{token}", &token);
    let link = NewToken {
        hash: &secret::hash(&token),
        account: id,
        purpose: Purpose::ResetPassword,
        made_at: state.now(),
        lifetime: LINK_LIFETIME,
    };
    single_use::insert(tx, &link).await?;
    let data = json!({ "token": token, "url": url });
    state
        .mail(tx, id, address, "en", Mail::OwnerInvitation, &data)
        .await?;
    Ok(url)
}

async fn applicant(state: &Identity, new: &NewUser) -> Result<Applicant, String> {
    let address = email::normalise(&new.email)
        .ok_or_else(|| format!("{:?} is not a valid e-mail address", new.email))?;
    if let Some(name) = &new.username
        && username::key(name).is_none()
    {
        return Err(format!("{name:?} is not a valid username"));
    }
    let password_hash = match &new.password {
        None => None,
        Some(text) => {
            let names = [Some(address.as_str()), new.username.as_deref()];
            let names: Vec<&str> = names.into_iter().flatten().collect();
            if let Some(problem) = password::problem(text, &names) {
                return Err(format!("the password {problem}"));
            }
            Some(
                state
                    .hasher
                    .hash(text.clone())
                    .await
                    .map_err(|error| sentence(&error))?,
            )
        }
    };
    Ok(Applicant {
        email: Some(address),
        username: new.username.clone(),
        password_hash,
        first_name: None,
        last_name: None,
        locale: None,
        requested_role: None,
    })
}

async fn make(state: &Identity, tx: &mut Tx, applicant: &Applicant, roles: &[Role]) -> Result<User, Error> {
    let id = id::new();
    if !create(state, tx, id, applicant).await? {
        return Err(Error::Taken);
    }
    accounts::set_email_verified(tx, id).await?;
    if !roles.is_empty() {
        accounts::set_roles(tx, id, roles).await?;
    }
    let account = accounts::find(tx, id).await?;
    let profile = profiles::find(tx, id).await?;
    state.tell_registered(tx, &account, &profile, "operator").await?;
    tell_power(state, tx, &account).await?;
    // An operator is nobody's account and comes from no address.
    let entry = AuditEntry {
        role: "operator".to_owned(),
        action: "account.created".to_owned(),
        target_type: "account".to_owned(),
        target_id: id.to_string(),
        after: Some(json!({ "roles": account.roles })),
        ..AuditEntry::default()
    };
    parlour_events::audit(tx, entry).await?;
    state.user(&account, &profile)
}

fn sentence(error: &Error) -> String {
    match error {
        Error::Taken => "an account with this e-mail address or username exists already".to_owned(),
        other => other.to_string(),
    }
}
