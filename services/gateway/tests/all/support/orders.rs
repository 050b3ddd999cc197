//! A small real service, to be run beside the gateway or behind it.

use std::sync::Arc;

use futures_util::future::BoxFuture;
use parlour_chassis::{Built, Context, Service};
use parlour_http::{
    Anonymous, ApiError, Check, Json, Limit, Limits, Origin, Public, RateClass, Reply, Routes, State, User,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

#[derive(Serialize, Deserialize, ToSchema)]
pub(crate) struct Order {
    notes: String,
}

impl Check for Order {}

/// Who asks
#[derive(Serialize, ToSchema)]
pub(crate) struct Asker {
    id: Option<uuid::Uuid>,
    address: String,
    request_id: String,
}

#[utoipa::path(get, path = "/api/orders", responses((status = 200, body = Asker)))]
pub(crate) async fn list(user: User, origin: Origin) -> Result<Reply, ApiError> {
    asker(Some(user.id), origin)
}

#[utoipa::path(post, path = "/api/orders", request_body = Order, responses((status = 201, body = Order)))]
pub(crate) async fn create(_: User, Json(order): Json<Order>) -> Result<Reply, ApiError> {
    Reply::created(order)
}

#[utoipa::path(get, path = "/api/services", responses((status = 200, body = Asker)))]
pub(crate) async fn public(Public(user): Public, origin: Origin) -> Result<Reply, ApiError> {
    asker(user.map(|user| user.id), origin)
}

#[utoipa::path(post, path = "/chat/appointments/", request_body = Order, responses((status = 201, body = Order)))]
pub(crate) async fn book(_: User, Json(order): Json<Order>) -> Result<Reply, ApiError> {
    Reply::created(order)
}

#[utoipa::path(get, path = "/api/astro/open", responses((status = 200, body = Asker)))]
pub(crate) async fn open(_: Anonymous, origin: Origin) -> Result<Reply, ApiError> {
    asker(None, origin)
}

#[utoipa::path(get, path = "/api/assist/chat", responses((status = 200, body = Asker)))]
pub(crate) async fn chatty(user: User, origin: Origin) -> Result<Reply, ApiError> {
    asker(Some(user.id), origin)
}

/// Lets everybody ask a thousand times
#[utoipa::path(post, path = "/api/assist/limits", responses((status = 200, body = Order)))]
pub(crate) async fn raise(_: Anonymous, limits: State<Limits>) -> Result<Reply, ApiError> {
    let limit = Limit {
        requests: 1000,
        seconds: 60,
        burst: 1000,
    };
    limits.set(RateClass::General, limit);
    Reply::ok(())
}

fn asker(id: Option<uuid::Uuid>, origin: Origin) -> Result<Reply, ApiError> {
    Reply::ok(Asker {
        id,
        address: origin.address.to_string(),
        request_id: origin.request_id,
    })
}

fn routes() -> Routes {
    Routes::of("orders")
        .add::<__path_list, _, _, _>(RateClass::General, list)
        .add::<__path_create, _, _, _>(RateClass::General, create)
        .add::<__path_public, _, _, _>(RateClass::General, public)
        .add::<__path_book, _, _, _>(RateClass::None, book)
        .add::<__path_open, _, _, _>(RateClass::None, open)
        .add::<__path_chatty, _, _, _>(RateClass::Chat, chatty)
        .add::<__path_raise, _, _, _>(RateClass::None, raise)
}

pub(crate) fn service() -> Service {
    Service {
        name: "orders",
        health: Some("orders"),
        defaults: "",
        check: |_| Ok(()),
        migrations: Vec::new,
        has_database: false,
        routes,
        build,
    }
}

fn build(context: Context) -> BoxFuture<'static, anyhow::Result<Built>> {
    Box::pin(async move { Ok(Built::new(Arc::new(context.limits))) })
}
