//! `/api/auth/tokens`: API tokens of integrations.

use chrono::{DateTime, Utc};
use parlour_auth::API_TOKEN_PREFIX;
use parlour_contracts::id;
use parlour_db::{Scope, Tx};
use parlour_http::{
    ApiError, Check, Json, Once, Origin, PathId, Problems, RateClass, Reply, Routes, State, Success, Time,
    User,
};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;
use uuid::Uuid;

use super::logout::Nothing;
use crate::domain::{secret, text};
use crate::error::Error;
use crate::state::Identity;
use crate::store::api_tokens::{self, ApiToken, NewApiToken};

/// Characters of a token that stay visible, so that its owner can tell it from others.
const PREFIX_LENGTH: usize = 12;

/// Registers the routes.
pub fn route(routes: Routes) -> Routes {
    routes
        .add::<__path_list, _, _, _>(RateClass::General, list)
        .add::<__path_create, _, _, _>(RateClass::Auth, create)
        .add::<__path_revoke, _, _, _>(RateClass::General, revoke)
}

/// What a new token may do.
#[derive(Debug, Deserialize, ToSchema)]
pub struct CreateToken {
    /// What it is for.
    #[schema(min_length = 1, max_length = 100)]
    pub name: String,
    /// `service:read` or `service:write`, such as `orders:read`.
    #[schema(min_items = 1, max_items = 40)]
    pub scopes: Vec<String>,
    /// When it ends; never without.
    pub expires_at: Option<Time>,
}

impl Check for CreateToken {
    fn check(&self, problems: &mut Problems) {
        problems.require(
            text::is_plain(&self.name),
            "name",
            "must not contain control characters",
        );
        for (index, scope) in self.scopes.iter().enumerate() {
            let fine = scope.split_once(':').is_some_and(|(service, right)| {
                let named = (1..=40).contains(&service.len())
                    && service.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
                named && matches!(right, "read" | "write")
            });
            let field = format!("scopes[{index}]");
            problems.require(fine, &field, "must be a service's name and :read or :write");
        }
    }
}

/// A token, without what makes it one.
#[derive(Debug, Serialize, ToSchema)]
#[expect(missing_docs, reason = "the names say it")]
pub struct TokenView {
    pub id: Uuid,
    pub name: String,
    pub prefix: String,
    pub scopes: Vec<String>,
    pub created_at: Time,
    pub expires_at: Option<Time>,
    pub last_used_at: Option<Time>,
}

impl From<ApiToken> for TokenView {
    fn from(row: ApiToken) -> Self {
        let time = |at: Option<DateTime<Utc>>| at.map(Time::from);
        Self {
            id: row.id,
            name: row.name,
            prefix: row.prefix,
            scopes: row.scopes,
            created_at: row.created_at.into(),
            expires_at: time(row.expires_at),
            last_used_at: time(row.last_used_at),
        }
    }
}

/// A new token.
#[derive(Debug, Serialize, ToSchema)]
pub struct NewTokenView {
    /// The token itself; shown this once.
    pub token: String,
    /// What can be shown again.
    #[serde(flatten)]
    pub view: TokenView,
}

/// `{tokens}`
#[derive(Debug, Serialize, ToSchema)]
pub struct TokenList {
    /// The newest first.
    pub tokens: Vec<TokenView>,
}

/// My API tokens
#[utoipa::path(
    get, path = "/api/auth/tokens", tag = "auth",
    responses((status = 200, description = "The newest first, at most 50.", body = Success<TokenList>))
)]
pub async fn list(user: User, state: State<Identity>) -> Result<Reply, ApiError> {
    let id = user.id;
    let rows = state
        .db
        .read(Scope::Person(id), async move |tx: &mut Tx| -> Result<_, Error> {
            Ok(api_tokens::of_account(tx, id).await?)
        })
        .await?;
    Reply::ok(TokenList {
        tokens: rows.into_iter().map(TokenView::from).collect(),
    })
}

/// Creates an API token for an integration
///
/// It is shown once. It acts for its owner, within its scopes; another API token cannot make one.
#[utoipa::path(
    post, path = "/api/auth/tokens", tag = "auth", request_body = CreateToken,
    responses((status = 201, description = "The token.", body = Success<NewTokenView>))
)]
pub async fn create(
    user: User,
    state: State<Identity>,
    origin: Origin,
    Json(body): Json<CreateToken>,
    once: Once,
) -> Result<Reply, ApiError> {
    if user.scopes.is_some() {
        return Err(Error::Forbidden("an API token cannot make API tokens").into());
    }
    if body.expires_at.is_some_and(|at| at.0 <= state.now()) {
        return Err(Error::Field("expires_at", "must be in the future").into());
    }
    let account = user.id;
    once.write(Scope::Service, async move |tx: &mut Tx| -> Result<Reply, Error> {
        let existing = api_tokens::of_account(tx, account).await?.len();
        if existing >= usize::try_from(api_tokens::MOST).unwrap_or(50) {
            return Err(Error::State("You have 50 tokens already. Revoke one first."));
        }
        let token = secret::token(API_TOKEN_PREFIX)?;
        let new = NewApiToken {
            id: id::new(),
            account_id: account,
            name: body.name,
            prefix: token.chars().take(PREFIX_LENGTH).collect(),
            hash: secret::hash(&token),
            scopes: body.scopes,
            expires_at: body.expires_at.map(|at| at.0),
        };
        let row = api_tokens::insert(tx, &new).await?;
        let what = json!({ "token": row.id, "scopes": row.scopes });
        state.tell_credentials(tx, account, "api_token_created").await?;
        state
            .audit(tx, &origin, "api_token.created", account, (None, Some(what)))
            .await?;
        Ok(Reply::created(NewTokenView {
            token,
            view: row.into(),
        })?)
    })
    .await
}

/// Revokes an API token
///
/// It stops working everywhere within a second.
#[utoipa::path(
    delete, path = "/api/auth/tokens/{id}", tag = "auth",
    params(("id" = Uuid, Path, description = "The token's id.")),
    responses((status = 200, description = "Revoked.", body = Success<Nothing>))
)]
pub async fn revoke(
    user: User,
    state: State<Identity>,
    origin: Origin,
    PathId(id): PathId,
) -> Result<Reply, ApiError> {
    let (account, now) = (user.id, state.now());
    let shared = state.clone();
    state
        .db
        .write(Scope::Service, async move |tx: &mut Tx| -> Result<(), Error> {
            if !api_tokens::revoke(tx, account, id, now).await? {
                return Err(Error::NotFound);
            }
            shared
                .tell_revoked(tx, account, Some(id), None, "api_token")
                .await?;
            let what = json!({ "token": id });
            shared
                .audit(tx, &origin, "api_token.revoked", account, (Some(what), None))
                .await
        })
        .await?;
    Reply::said(Nothing {}, "The token is revoked.")
}
