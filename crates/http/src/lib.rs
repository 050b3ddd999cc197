//! What every endpoint shares: guarded routes, validated input, envelopes and
//! errors of the three dialects, idempotency, durable rate buckets, pages and
//! cursors, and the OpenAPI document made from all of it.
//!
//! A handler is an async function whose first argument is a [`Guard`]: it says
//! who may call, and a handler without one does not compile.

mod address;
mod body;
mod buckets;
mod call;
mod caller;
mod dialect;
mod dispatch;
mod endpoint;
mod error;
mod form;
mod guard;
mod idempotency;
mod input;
mod kept;
mod limits;
mod multipart;
mod observe;
mod openapi;
mod page;
mod reply;
mod request_id;
mod routes;
mod schema;
mod time;
mod validate;

pub use address::{TrustedProxies, client_address};
pub use body::{Arriving, Head};
pub use buckets::{Taken, sweep_buckets, take};
pub use call::{Call, Origin, ServiceHandle, State};
pub use caller::{CSRF_COOKIE, Caller, SESSION_COOKIE, identify};
pub use dialect::Dialect;
pub use dispatch::{RouteTemplate, Router, TraceParent};
pub use endpoint::{Endpoint, Extract};
pub use error::{ApiError, code};
pub use form::{Form, RawQuery};
pub use guard::{
    Access, Admin, Anonymous, External, Guard, Has, Needs, Permitted, Public, RoleSet, Staff, SuperAdmin,
    User, grants,
};
pub use idempotency::{Once, OnceRead, sweep_keys};
pub use input::{Bearer, Header, HeaderNamed, InPath, Json, JsonOrDefault, PathId, PathNamed, Query};
pub use limits::{Limit, LimitSettings, Limits, RateClass};
pub use multipart::{FormDigest, Multipart, Part};
pub use openapi::document;
pub use page::{Cursor, PageQuery, Paged, Pagination};
pub use reply::{Failure, Reply, Success};
pub use request_id::{REQUEST_ID, RequestId, request_id};
pub use routes::{Route, Routes};
pub use time::Time;
pub use validate::{Check, Problems};

use parlour_db::EmbeddedMigrations;

/// The tables behind idempotency keys and rate buckets, in the schema of each service.
pub const MIGRATIONS: EmbeddedMigrations = diesel_migrations::embed_migrations!();
