//! What identity answers about tokens, from its database.

use chrono::{DateTime, Duration, Utc};
use futures_util::future::BoxFuture;
use jsonwebtoken::jwk::JwkSet;
use parlour_auth::{API_TOKEN_PREFIX, AuthError, Authority, COOKIE_PREFIX, Principal, Revocation, Via};
use parlour_db::{Scope, Tx};
use uuid::Uuid;

use crate::domain::secret;
use crate::error::Error;
use crate::state::Identity;
use crate::store::accounts::{self, Account};
use crate::store::{api_tokens, sessions};

impl Authority for Identity {
    fn keys(&self) -> BoxFuture<'_, Result<JwkSet, AuthError>> {
        Box::pin(async { self.keys.jwk_set().map_err(|error| unavailable(&error)) })
    }

    fn introspect<'a>(&'a self, token: &'a str) -> BoxFuture<'a, Result<Principal, AuthError>> {
        Box::pin(async move {
            let found = if token.starts_with(API_TOKEN_PREFIX) {
                self.by_api_token(token).await
            } else if token.starts_with(COOKIE_PREFIX) {
                self.by_cookie(token).await
            } else {
                self.by_access_token(token).await
            };
            match found {
                Ok(Some(principal)) => Ok(principal),
                Ok(None) => Err(AuthError::Invalid),
                Err(Error::Auth(error)) => Err(error),
                Err(error) => Err(unavailable(&error)),
            }
        })
    }

    fn revocations(&self) -> BoxFuture<'_, Result<Vec<Revocation>, AuthError>> {
        Box::pin(async {
            self.recent_revocations()
                .await
                .map_err(|error| unavailable(&error))
        })
    }
}

fn unavailable(error: &Error) -> AuthError {
    tracing::warn!(%error, "a token cannot be looked up");
    AuthError::Unavailable
}

impl Identity {
    async fn by_access_token(&self, token: &str) -> Result<Option<Principal>, Error> {
        let keys = async || self.keys.jwk_set().map_err(|error| unavailable(&error));
        let principal = self.reader.read(token, keys).await?;
        let (account, session, now) = (principal.id, principal.session, self.now());
        let state = self
            .db
            .read(Scope::Service, async move |tx: &mut Tx| -> Result<_, Error> {
                let session = sessions::find_live(tx, session, now).await?;
                Ok((session, active(tx, account).await?))
            });
        let (session, account) = state.await?;
        let (Some(session), Some(account)) = (session, account) else {
            return Ok(None);
        };
        let dead = principal.issued_at < account.not_before || session.account_id != account.id;
        Ok((!dead).then_some(principal))
    }

    async fn by_cookie(&self, token: &str) -> Result<Option<Principal>, Error> {
        let (hash, now) = (secret::hash(token), self.now());
        let found = self
            .db
            .read(Scope::Service, async move |tx: &mut Tx| -> Result<_, Error> {
                let Some(session) = sessions::by_cookie(tx, &hash, now).await? else {
                    return Ok(None);
                };
                Ok(active(tx, session.account_id)
                    .await?
                    .map(|account| (session, account)))
            });
        let found = found.await?;
        Ok(found.map(|(session, account)| {
            self.principal(&account, session.id, Via::AccessToken, None, session.expires_at)
        }))
    }

    async fn by_api_token(&self, token: &str) -> Result<Option<Principal>, Error> {
        let (hash, now) = (secret::hash(token), self.now());
        let found = self
            .db
            .write(Scope::Service, async move |tx: &mut Tx| -> Result<_, Error> {
                let Some(token) = api_tokens::by_hash(tx, &hash, now).await? else {
                    return Ok(None);
                };
                Ok(active(tx, token.account_id)
                    .await?
                    .map(|account| (token, account)))
            });
        let found = found.await?;
        Ok(found.map(|(token, account)| {
            let end = token
                .expires_at
                .unwrap_or_else(|| self.now() + Duration::days(36_500));
            self.principal(&account, token.id, Via::ApiToken, Some(token.scopes), end)
        }))
    }

    fn principal(
        &self,
        account: &Account,
        session: Uuid,
        via: Via,
        scopes: Option<Vec<String>>,
        expires_at: DateTime<Utc>,
    ) -> Principal {
        Principal {
            id: account.id,
            session,
            roles: self.effective_roles(account),
            permissions: account.permissions(),
            level: account.level(),
            country: account.country_scope.clone(),
            via,
            scopes,
            // What the database says now: only what happens later can revoke it.
            issued_at: self.now(),
            expires_at,
        }
    }

    async fn recent_revocations(&self) -> Result<Vec<Revocation>, Error> {
        let now = self.now();
        let since = now - self.access_lifetime() - Duration::minutes(1);
        self.db
            .read(Scope::Service, async move |tx: &mut Tx| -> Result<_, Error> {
                let mut list = Vec::new();
                for (session, account, ended_at) in sessions::ended_since(tx, since).await? {
                    let not_before = ended_at.unwrap_or(now);
                    list.push(one(account, Some(session), not_before));
                }
                for (token, account) in api_tokens::revoked_since(tx, since).await? {
                    list.push(one(account, Some(token), now));
                }
                for (account, not_before) in accounts::not_before_since(tx, since).await? {
                    list.push(one(account, None, not_before));
                }
                Ok(list)
            })
            .await
    }
}

fn one(account: Uuid, session: Option<Uuid>, not_before: DateTime<Utc>) -> Revocation {
    Revocation {
        account,
        session,
        not_before,
        except: None,
    }
}

async fn active(tx: &mut Tx, id: Uuid) -> Result<Option<Account>, Error> {
    use diesel::OptionalExtension as _;
    let found = accounts::find(tx, id).await.optional()?;
    Ok(found.filter(|account| account.is_active()))
}
