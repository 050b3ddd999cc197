//! One request on its way through a service.

use std::any::Any;
use std::net::IpAddr;
use std::sync::Arc;

use actix_web::HttpRequest;
use actix_web::dev::Payload;
use parlour_auth::Principal;
use parlour_db::Db;
use parlour_vault::Vault;

use crate::{ApiError, Extract, Limits, Route};

/// What the framework needs of the service that a route belongs to.
pub struct ServiceHandle {
    /// The service's name.
    pub name: &'static str,
    /// Its database; the gateway has none.
    pub db: Option<Db>,
    /// The process's keys.
    pub vault: Vault,
    /// The process's limits.
    pub limits: Limits,
    /// What its handlers share, as [`State`] gives it out.
    pub state: Arc<dyn Any + Send + Sync>,
}

impl ServiceHandle {
    /// The database, which every service but the gateway has.
    pub fn db(&self) -> Result<&Db, ApiError> {
        self.db
            .as_ref()
            .ok_or_else(|| ApiError::internal(format!("{} has no database", self.name)))
    }
}

/// A request, what was found out about it, and what is left of it to read.
pub struct Call {
    /// The request.
    pub request: HttpRequest,
    /// The body, until somebody takes it.
    pub payload: Payload,
    /// The service.
    pub service: Arc<ServiceHandle>,
    /// The route.
    pub route: Arc<Route>,
    /// The variable parts of the path, in order, percent-decoded.
    pub params: Vec<(String, String)>,
    /// Who calls, if they showed a token and the route looks at it.
    pub principal: Option<Arc<Principal>>,
    /// Whether they showed it as a cookie.
    pub by_cookie: bool,
    /// The request's id.
    pub request_id: String,
    /// Where it comes from.
    pub address: IpAddr,
    /// SHA-256 of the body, once it was read.
    pub body_hash: [u8; 32],
}

impl Call {
    /// A request header as text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.request.headers().get(name)?.to_str().ok()
    }
}

/// What a service's handlers share.
pub struct State<T>(pub Arc<T>);

impl<T> std::ops::Deref for State<T> {
    type Target = T;
    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T> Clone for State<T> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<T: Send + Sync + 'static> Extract for State<T> {
    async fn extract(call: &mut Call) -> Result<Self, ApiError> {
        let state = call.service.state.clone().downcast::<T>();
        state
            .map(State)
            .map_err(|_| ApiError::internal(format!("{} has another state type", call.service.name)))
    }
}

impl Extract for Arc<ServiceHandle> {
    async fn extract(call: &mut Call) -> Result<Self, ApiError> {
        Ok(call.service.clone())
    }
}

/// Where a request came from, for the audit log and for sessions.
#[derive(Clone, Debug)]
pub struct Origin {
    /// The caller, if known.
    pub actor: Option<Arc<Principal>>,
    /// The client's address.
    pub address: IpAddr,
    /// The request's id.
    pub request_id: String,
    /// What the client calls itself, cut to 200 characters.
    pub user_agent: String,
}

impl Extract for Origin {
    async fn extract(call: &mut Call) -> Result<Self, ApiError> {
        Ok(Self {
            actor: call.principal.clone(),
            address: call.address,
            request_id: call.request_id.clone(),
            user_agent: call
                .header("user-agent")
                .unwrap_or_default()
                .chars()
                .take(200)
                .collect(),
        })
    }
}
