//! What others are told about people: the events that more than one endpoint publishes.

use chrono::Duration;
use parlour_chassis::audit_entry;
use parlour_contracts::identity::v1::{
    AccountRegistered, ContactChanged, CredentialsChanged, EmailRequested, ProfileUpdated, SecurityAlert,
};
use parlour_db::Tx;
use parlour_events::publish;
use parlour_http::Origin;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::domain::secret;
use crate::error::Error;
use crate::state::Identity;
use crate::store::accounts::{Account, Person};
use crate::store::profiles::Profile;
use crate::store::single_use::{self, NewToken, Purpose};

/// How long a mailed link works.
pub const LINK_LIFETIME: Duration = Duration::hours(1);

/// A mail about an account.
#[derive(Clone, Copy, Debug)]
pub enum Mail {
    /// Confirm this address.
    VerifyEmail,
    /// Set a new password.
    ResetPassword,
    /// Somebody tried to register with this address again.
    AccountExists,
    /// Welcome, owner: set your password.
    OwnerInvitation,
}

impl Mail {
    fn template(self) -> &'static str {
        match self {
            Self::VerifyEmail => "verify_email",
            Self::ResetPassword => "reset_password",
            Self::AccountExists => "account_exists",
            Self::OwnerInvitation => "owner_invitation",
        }
    }
}

impl Identity {
    /// Tells of a new account: that it is there, what to show of it, how to reach it.
    pub async fn tell_registered(
        &self,
        tx: &mut Tx,
        account: &Account,
        profile: &Profile,
        through: &str,
    ) -> Result<(), Error> {
        let event = AccountRegistered {
            account_id: account.id.to_string(),
            roles: account.roles.clone(),
            locale: profile.locale.clone(),
            through: through.to_owned(),
        };
        publish(tx, format!("account:{}", account.id), &event).await?;
        self.tell_profile(tx, account, profile).await?;
        self.tell_contact(tx, account).await
    }

    /// Tells what may be shown of a person.
    pub async fn tell_profile(&self, tx: &mut Tx, account: &Account, profile: &Profile) -> Result<(), Error> {
        let text = |value: &Option<String>| value.clone().unwrap_or_default();
        let event = ProfileUpdated {
            account_id: account.id.to_string(),
            username: text(&account.username),
            display_name: profile.shown_name(account.username.as_deref()),
            first_name: text(&profile.first_name),
            last_name: text(&profile.last_name),
            avatar_url: text(&profile.avatar_url),
            roles: account.roles.clone(),
            country: text(&profile.country),
            locale: profile.locale.clone(),
            time_zone: text(&profile.time_zone),
            specialities: profile.specialities.clone(),
            status: account.status.clone(),
        };
        publish(tx, format!("account:{}", account.id), &event).await?;
        Ok(())
    }

    /// Tells those who hold the contacts key how to reach a person.
    pub async fn tell_contact(&self, tx: &mut Tx, account: &Account) -> Result<(), Error> {
        let id = account.id;
        let seal = |kind: &str, value: Option<String>| match value {
            Some(value) => self.contacts.seal_text(&format!("contact.{kind}:{id}"), &value),
            None => Ok(Vec::new()),
        };
        let event = ContactChanged {
            account_id: id.to_string(),
            email_sealed: seal("email", self.email_of(account)?)?,
            phone_sealed: seal("phone", self.phone_of(account)?)?,
            email_verified: account.email_verified,
            phone_verified: account.phone_verified,
        };
        publish(tx, format!("account:{id}"), &event).await?;
        Ok(())
    }

    /// The e-mail address of an account.
    pub fn email_of(&self, account: &Person) -> Result<Option<String>, Error> {
        let place = Account::email_place(account.id);
        let sealed = account.email_sealed.as_deref();
        Ok(sealed
            .map(|sealed| self.vault.open_text(&place, sealed))
            .transpose()?)
    }

    /// The phone number of an account.
    pub fn phone_of(&self, account: &Person) -> Result<Option<String>, Error> {
        let place = Account::phone_place(account.id);
        let sealed = account.phone_sealed.as_deref();
        Ok(sealed
            .map(|sealed| self.vault.open_text(&place, sealed))
            .transpose()?)
    }

    /// Makes a link and has it mailed. Answers the link; `None` without an address.
    pub async fn mail_link(
        &self,
        tx: &mut Tx,
        account: &Account,
        locale: &str,
        mail: Mail,
    ) -> Result<Option<String>, Error> {
        let Some(address) = self.email_of(account)? else {
            return Ok(None);
        };
        let (prefix, purpose, url) = match mail {
            Mail::VerifyEmail => ("plv_", Purpose::VerifyEmail, &self.settings.verify_url),
            _ => ("plw_", Purpose::ResetPassword, &self.settings.reset_url),
        };
        let token = secret::token(prefix)?;
        let url = url.replace("{token}", &token);
        let link = NewToken {
            hash: &secret::hash(&token),
            account: account.id,
            purpose,
            made_at: self.now(),
            lifetime: LINK_LIFETIME,
        };
        single_use::insert(tx, &link).await?;
        let data = json!({ "token": token, "url": url });
        self.mail(tx, account.id, &address, locale, mail, &data).await?;
        Ok(Some(url))
    }

    /// Has a mail sent.
    pub async fn mail(
        &self,
        tx: &mut Tx,
        account: Uuid,
        address: &str,
        locale: &str,
        mail: Mail,
        data: &Value,
    ) -> Result<(), Error> {
        let seal = |field: &str, text: &str| {
            self.contacts
                .seal_text(&format!("email_requested.{field}:{account}"), text)
        };
        let event = EmailRequested {
            account_id: account.to_string(),
            template: mail.template().to_owned(),
            locale: locale.to_owned(),
            address_sealed: seal("address", address)?,
            data_sealed: seal("data", &data.to_string())?,
            expires_ms: (self.now() + LINK_LIFETIME).timestamp_millis(),
        };
        publish(tx, format!("account:{account}"), &event).await?;
        Ok(())
    }

    /// Tells that a password or second factor is another now.
    pub async fn tell_credentials(&self, tx: &mut Tx, account: Uuid, what: &str) -> Result<(), Error> {
        let event = CredentialsChanged {
            account_id: account.to_string(),
            what: what.to_owned(),
        };
        publish(tx, format!("account:{account}"), &event).await?;
        Ok(())
    }

    /// Warns the owner of an account.
    pub async fn alert(
        &self,
        tx: &mut Tx,
        account: Uuid,
        kind: &str,
        origin: Option<&Origin>,
    ) -> Result<(), Error> {
        let event = SecurityAlert {
            account_id: account.to_string(),
            kind: kind.to_owned(),
            address: origin.map_or_else(String::new, |o| o.address.to_string()),
        };
        publish(tx, format!("account:{account}"), &event).await?;
        Ok(())
    }

    /// Writes a line of the audit log about an account.
    pub async fn audit(
        &self,
        tx: &mut Tx,
        origin: &Origin,
        action: &str,
        account: Uuid,
        change: (Option<Value>, Option<Value>),
    ) -> Result<(), Error> {
        let mut entry = audit_entry(origin, action, ("account", account), change);
        // Who has no session yet acts for themselves.
        entry.actor_id.get_or_insert(account);
        parlour_events::audit(tx, entry).await?;
        Ok(())
    }
}
