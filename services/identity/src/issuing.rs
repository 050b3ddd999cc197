//! Sign-ins: sessions, their tokens, and their end.

use chrono::{DateTime, Duration, Utc};
use parlour_auth::{COOKIE_PREFIX, Claims};
use parlour_contracts::identity::v1::{SessionRevoked, SessionStarted};
use parlour_contracts::{Level, id};
use parlour_db::Tx;
use parlour_http::Origin;
use uuid::Uuid;

use crate::domain::secret;
use crate::error::Error;
use crate::state::Identity;
use crate::store::accounts::{self, Account};
use crate::store::refresh_tokens;
use crate::store::sessions::{self, Session};

/// What a refresh token begins with.
const REFRESH_PREFIX: &str = "plf_";

/// The tokens of a sign-in.
#[derive(Clone, Debug)]
pub struct Tokens {
    /// Short-lived, for every request.
    pub access: String,
    /// Long-lived, for the next access token.
    pub refresh: String,
    /// Seconds until the access token ends.
    pub expires_in: i64,
    /// The session.
    pub session: Uuid,
}

/// How a person signed in, as the event tells it.
#[derive(Clone, Copy, Debug)]
pub enum Through {
    /// With a password.
    Password,
    /// With a password and a second factor.
    TwoFactor,
    /// With a token of an outside issuer.
    Issuer,
}

impl Through {
    fn name(self) -> &'static str {
        match self {
            Self::Password => "password",
            Self::TwoFactor => "two_factor",
            Self::Issuer => "issuer",
        }
    }
}

impl Identity {
    /// The roles that count now: those that must have a second factor do not without one.
    pub fn effective_roles(&self, account: &Account) -> Vec<parlour_contracts::Role> {
        let mut roles = account.roles();
        if !account.two_factor_enabled {
            roles.retain(|role| !self.settings.two_factor_roles.contains(role));
        }
        roles
    }

    /// An access token for a session. Its times, and the milliseconds of its id, are by the
    /// service's clock, as are the revocations that they are compared with. Who checks when it
    /// ends asks the machine's: a test that moves the hands back before it signs somebody in gets
    /// a token that has ended, and one that moves them on gets none that ends sooner.
    pub fn access_token(&self, account: &Account, session: Uuid) -> Result<String, Error> {
        let now = self.now();
        let roles = self.effective_roles(account);
        self.keys.sign(&Claims {
            iss: self.tokens.issuer.clone(),
            sub: account.id,
            aud: self.tokens.audience.clone(),
            iat: now.timestamp(),
            exp: (now + self.access_lifetime()).timestamp(),
            jti: id_at(now),
            sid: session,
            roles: roles.iter().map(|role| role.name().to_owned()).collect(),
            perms: account.permissions.clone(),
            lvl: account.level().map(Level::name).map(ToOwned::to_owned),
            ctry: account.country_scope.clone(),
        })
    }

    /// Begins a session. With `cookie` it also answers the cookie's value.
    pub async fn start_session(
        &self,
        tx: &mut Tx,
        account: &Account,
        origin: &Origin,
        through: Through,
        cookie: bool,
    ) -> Result<(Tokens, Option<String>), Error> {
        let session = id::new();
        let cookie = if cookie {
            Some(secret::token(COOKIE_PREFIX)?)
        } else {
            None
        };
        let address = origin.address.to_string();
        let now = self.now();
        let row = Session {
            id: session,
            account_id: account.id,
            cookie_hash: cookie.as_deref().map(secret::hash),
            device: origin.user_agent.replace('\0', ""),
            address_sealed: self.vault.seal_text(&Session::address_place(session), &address)?,
            created_at: now,
            last_seen_at: now,
            expires_at: now + Duration::days(self.settings.refresh_days),
        };
        sessions::insert(tx, &row).await?;
        let tokens = self.issue(tx, account, session).await?;
        let event = SessionStarted {
            account_id: account.id.to_string(),
            session_id: session.to_string(),
            through: through.name().to_owned(),
        };
        parlour_events::publish(tx, format!("account:{}", account.id), &event).await?;
        Ok((tokens, cookie))
    }

    /// New tokens for a session that goes on.
    pub async fn issue(&self, tx: &mut Tx, account: &Account, session: Uuid) -> Result<Tokens, Error> {
        let refresh = secret::token(REFRESH_PREFIX)?;
        let expires = self.now() + Duration::days(self.settings.refresh_days);
        refresh_tokens::insert(tx, &secret::hash(&refresh), session, account.id, expires).await?;
        Ok(Tokens {
            access: self.access_token(account, session)?,
            refresh,
            expires_in: self.access_lifetime().num_seconds(),
            session,
        })
    }

    /// Ends one session; false when it had ended or is not the account's.
    pub async fn end_session(
        &self,
        tx: &mut Tx,
        account: Uuid,
        session: Uuid,
        reason: &str,
    ) -> Result<bool, Error> {
        if !sessions::end(tx, account, session, reason, self.now()).await? {
            return Ok(false);
        }
        self.tell_revoked(tx, account, Some(session), None, reason)
            .await?;
        Ok(true)
    }

    /// Ends every session of an account but `except`, and every token issued before now.
    pub async fn end_all_sessions(
        &self,
        tx: &mut Tx,
        account: Uuid,
        except: Option<Uuid>,
        reason: &str,
    ) -> Result<(), Error> {
        let now = self.now();
        sessions::end_all(tx, account, except, reason, now).await?;
        if except.is_none() {
            accounts::set_not_before(tx, account, now).await?;
        }
        self.tell_revoked(tx, account, None, except, reason).await
    }

    /// Tells everybody that tokens have ended.
    pub async fn tell_revoked(
        &self,
        tx: &mut Tx,
        account: Uuid,
        session: Option<Uuid>,
        except: Option<Uuid>,
        reason: &str,
    ) -> Result<(), Error> {
        let text = |id: Option<Uuid>| id.map_or_else(String::new, |id| id.to_string());
        let event = SessionRevoked {
            account_id: account.to_string(),
            session_id: text(session),
            reason: reason.to_owned(),
            not_before_ms: self.now().timestamp_millis(),
            except_session_id: text(except),
        };
        parlour_events::publish(tx, format!("account:{account}"), &event).await?;
        Ok(())
    }
}

/// An id that says that it was made at `now`.
fn id_at(now: DateTime<Utc>) -> Uuid {
    let seconds = u64::try_from(now.timestamp()).unwrap_or_default();
    let at = uuid::Timestamp::from_unix(uuid::NoContext, seconds, now.timestamp_subsec_nanos());
    Uuid::new_v7(at)
}
