//! `POST /register/`

use actix_web::http::StatusCode;
use parlour_contracts::Role;
use parlour_db::{Scope, Tx};
use parlour_http::{
    Anonymous, ApiError, Check, Json, Once, Origin, Problems, RateClass, Reply, Routes, State,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::domain::{email, password, username};
use crate::error::Error;
use crate::http::auth::register::{Applicant, admit};
use crate::state::Identity;

/// Registers the route.
pub fn route(routes: Routes) -> Routes {
    routes.add::<__path_register_safetalk, _, _, _>(RateClass::Auth, register_safetalk)
}

/// SafeTalk's registration form.
#[derive(Debug, Deserialize, ToSchema)]
pub struct SafetalkRegister {
    /// 3 to 32 letters, digits, `.`, `_` or `-`.
    #[schema(min_length = 3, max_length = 32)]
    pub username: String,
    /// Where the person can be reached.
    #[schema(max_length = 254, format = "email")]
    pub email: String,
    /// 8 to 128 characters, none of the common ones.
    #[schema(min_length = 8, max_length = 128)]
    pub password1: String,
    /// The same again.
    #[schema(max_length = 128)]
    pub password2: String,
    /// `client` or `counselor`; a counsellor waits for an admin's approval.
    #[schema(max_length = 40)]
    pub role: Option<String>,
}

impl Check for SafetalkRegister {
    fn check(&self, problems: &mut Problems) {
        let rule = "must have 3 to 32 letters, digits, dots, hyphens or underscores";
        problems.require(username::key(&self.username).is_some(), "username", rule);
        let fine = email::normalise(&self.email).is_some();
        problems.require(fine, "email", "must be a valid e-mail address");
        let local = self.email.rsplit_once('@').map_or("", |(local, _)| local);
        let names = [self.email.as_str(), local, self.username.as_str()];
        if let Some(problem) = password::problem(&self.password1, &names) {
            problems.add("password1", problem);
        }
        let same = self.password1 == self.password2;
        problems.require(same, "password2", "must be the same as password1");
        let wanted = self.role.as_deref().map(str::parse::<Role>);
        let fine = matches!(wanted, None | Some(Ok(Role::Client | Role::Reader)));
        problems.require(fine, "role", "must be client or counselor");
    }
}

/// A new account.
#[derive(Debug, Serialize, ToSchema)]
pub struct SafetalkRegistered {
    /// A sentence.
    pub message: String,
    /// The account.
    pub user: SafetalkUser,
}

/// An account in SafeTalk's words.
#[derive(Debug, Serialize, ToSchema)]
#[expect(missing_docs, reason = "the names say it")]
pub struct SafetalkUser {
    pub id: Uuid,
    pub username: Option<String>,
    pub email: Option<String>,
    /// `client`, `counselor` …
    pub role: &'static str,
    /// `active`, or `pending` while the role waits for an admin.
    pub status: String,
}

/// Registers with SafeTalk's form
///
/// Asking for `counselor` makes a client whose role waits for an admin.
#[utoipa::path(
    post, path = "/register/", tag = "safetalk", request_body = SafetalkRegister,
    responses((status = 201, description = "The account.", body = SafetalkRegistered))
)]
pub async fn register_safetalk(
    _: Anonymous,
    state: State<Identity>,
    origin: Origin,
    Json(body): Json<SafetalkRegister>,
    once: Once,
) -> Result<Reply, ApiError> {
    let wanted = body.role.as_deref().and_then(|role| role.parse::<Role>().ok());
    let applicant = Applicant {
        email: email::normalise(&body.email),
        username: Some(body.username.trim().to_owned()),
        password_hash: Some(state.hasher.hash(body.password1).await?),
        first_name: None,
        last_name: None,
        locale: None,
        requested_role: wanted.filter(|role| *role != Role::Client),
    };
    once.write(Scope::Service, async move |tx: &mut Tx| -> Result<Reply, Error> {
        let user = admit(&state, tx, &origin, applicant).await?;
        let registered = SafetalkRegistered {
            message: match user.status.as_str() {
                "pending" => "Your account is ready. An admin will approve your role.".to_owned(),
                _ => "Your account is ready.".to_owned(),
            },
            user: SafetalkUser {
                id: user.id,
                username: user.username,
                email: user.email,
                role: "client",
                status: user.status,
            },
        };
        Ok(Reply::bare(StatusCode::CREATED, &registered)?)
    })
    .await
}
