//! `GET /api/admin/users`, `GET /api/admin/users/{id}`

use parlour_auth::Principal;
use parlour_contracts::{Level, Role};
use parlour_db::{Scope, Tx};
use parlour_http::{
    Admin, ApiError, Check, Cursor, PageQuery, Paged, Pagination, PathId, Problems, RateClass, Reply, Routes,
    State, Success,
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use crate::domain::{country, email, grants};
use crate::error::Error;
use crate::state::Identity;
use crate::store::accounts::{self, Account};
use crate::store::profiles::{self, Profile};
use crate::store::search::{self, Filter};
use crate::view::{FullProfile, User};

/// Registers the routes.
pub fn route(routes: Routes) -> Routes {
    routes
        .add::<__path_list, _, _, _>(RateClass::General, list)
        .add::<__path_one, _, _, _>(RateClass::General, one)
}

/// Which users.
#[derive(Debug, Default, Deserialize, ToSchema, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct UserSearch {
    /// Part of a name or username, a whole e-mail address, or an id.
    #[schema(max_length = 254)]
    #[param(max_length = 254)]
    pub q: Option<String>,
    /// A role; aliases are taken.
    #[schema(max_length = 40)]
    #[param(max_length = 40)]
    pub role: Option<String>,
    /// `active` or `blocked`.
    #[schema(max_length = 20)]
    #[param(max_length = 20)]
    pub status: Option<String>,
    /// ISO 3166-1 alpha-2.
    #[schema(max_length = 2)]
    #[param(max_length = 2)]
    pub country: Option<String>,
}

impl Check for UserSearch {
    fn check(&self, problems: &mut Problems) {
        let fine = self
            .role
            .as_deref()
            .is_none_or(|role| role.parse::<Role>().is_ok());
        problems.require(fine, "role", "is not a role");
        let fine = self.country.as_deref().is_none_or(country::is_known);
        problems.require(fine, "country", "must be an ISO 3166-1 alpha-2 code");
        let known = ["active", "blocked", "pending"];
        let fine = self
            .status
            .as_deref()
            .is_none_or(|status| known.contains(&status));
        problems.require(fine, "status", "must be active, blocked or pending");
    }
}

/// A page of users.
#[derive(Debug, Serialize, ToSchema)]
pub struct UserPage {
    /// The newest first.
    pub users: Vec<User>,
    /// Where in the list this is.
    pub pagination: Pagination,
}

/// A user with the powers they have.
#[derive(Debug, Serialize, ToSchema)]
pub struct UserDetail {
    /// Account and profile.
    #[serde(flatten)]
    pub profile: FullProfile,
    /// The role they asked for, until it is granted.
    pub requested_role: Option<String>,
    /// Admin level.
    #[schema(value_type = Option<String>)]
    pub level: Option<Level>,
    /// The country a `country_admin` is limited to.
    pub country_scope: Option<String>,
    /// What was granted one by one.
    pub permissions: Vec<String>,
}

/// `{user}`
#[derive(Debug, Serialize, ToSchema)]
pub struct UserDetailData {
    /// The user.
    pub user: UserDetail,
}

/// Searches users
///
/// The newest first. A `country_admin` sees their country only.
#[utoipa::path(
    get, path = "/api/admin/users", tag = "admin", params(UserSearch, PageQuery),
    responses((status = 200, description = "A page.", body = Success<UserPage>))
)]
pub async fn list(
    admin: Admin,
    state: State<Identity>,
    Paged(query, pages): Paged<UserSearch>,
) -> Result<Reply, ApiError> {
    let filter = filter(&state, &admin, query)?;
    let (cursor, asked) = (pages.cursor()?, pages.clone());
    let (mut rows, total) = state
        .db
        .read(Scope::Service, async move |tx: &mut Tx| -> Result<_, Error> {
            let total = search::count(tx, &filter).await?;
            let rows = search::page(tx, &filter, cursor, asked.most(), asked.offset()).await?;
            Ok((rows, total))
        })
        .await?;
    let next = pages.cut(&mut rows, |(account, _)| Cursor {
        at: account.created_at,
        id: account.id,
    });
    let users = rows.iter().map(|(account, profile)| state.user(account, profile));
    Reply::ok(UserPage {
        users: users.collect::<Result<_, Error>>()?,
        pagination: Pagination::new(&pages, total, next),
    })
}

fn filter(state: &Identity, admin: &Principal, query: UserSearch) -> Result<Filter, Error> {
    let own = admin.country.clone();
    let bound = admin.level == Some(Level::CountryAdmin) && !admin.has(Role::SuperAdmin);
    if bound && own.is_none() {
        return Err(Error::Forbidden("your level has no country yet"));
    }
    let role = query.role.and_then(|role| role.parse::<Role>().ok());
    Ok(Filter {
        id: query.q.as_deref().and_then(|q| Uuid::try_parse(q).ok()),
        email_index: query
            .q
            .as_deref()
            .and_then(email::normalise)
            .map(|address| state.email_index(&address)),
        text: query.q,
        role: role.map(|role| role.name().to_owned()),
        status: query.status,
        country: query.country,
        within: if bound { own } else { None },
    })
}

/// One user
#[utoipa::path(
    get, path = "/api/admin/users/{id}", tag = "admin",
    params(("id" = Uuid, Path, description = "The account.")),
    responses((status = 200, description = "The user.", body = Success<UserDetailData>))
)]
pub async fn one(admin: Admin, state: State<Identity>, PathId(id): PathId) -> Result<Reply, ApiError> {
    let (account, profile) = state
        .db
        .read(Scope::Service, async move |tx: &mut Tx| -> Result<_, Error> {
            Ok((accounts::find(tx, id).await?, profiles::find(tx, id).await?))
        })
        .await?;
    if !grants::in_country(&admin, profile.country.as_deref()) {
        return Err(ApiError::not_found());
    }
    Reply::ok(UserDetailData {
        user: detail(&state, &account, &profile)?,
    })
}

/// A user as admins see them.
pub fn detail(state: &Identity, account: &Account, profile: &Profile) -> Result<UserDetail, Error> {
    Ok(UserDetail {
        profile: state.full_profile(account, profile)?,
        requested_role: account.requested_role.clone(),
        level: account.level(),
        country_scope: account.country_scope.clone(),
        permissions: account.permissions.clone(),
    })
}
