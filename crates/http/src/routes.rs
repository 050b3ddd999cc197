//! The routes of one service, as they are registered.

use std::pin::Pin;
use std::sync::Arc;

use actix_web::HttpResponse;
use actix_web::http::Method;
use utoipa::openapi::path::{HttpMethod, Operation};
use utoipa::openapi::schema::Schema;
use utoipa::openapi::{RefOr, Required};

use crate::{Access, ApiError, Call, Endpoint, Guard, RateClass};

pub(crate) type Handler =
    Arc<dyn Fn(Call) -> Pin<Box<dyn Future<Output = Result<HttpResponse, ApiError>>>> + Send + Sync>;

/// What is known of a route besides its handler.
#[derive(Clone)]
pub struct Route {
    /// The service it belongs to.
    pub service: &'static str,
    /// GET, POST …
    pub method: Method,
    /// The path with `{names}` in the place of variable parts.
    pub path: String,
    /// Who may call.
    pub access: Access,
    /// What it counts against.
    pub class: RateClass,
    /// Makes its OpenAPI operation.
    describe: fn() -> Operation,
}

impl Route {
    /// Its OpenAPI operation, made anew: it is large, and seldom asked for.
    pub fn operation(&self) -> Operation {
        (self.describe)()
    }
}

/// A service's routes.
#[derive(Default)]
pub struct Routes {
    pub(crate) list: Vec<(Arc<Route>, Handler)>,
    pub(crate) schemas: Vec<(String, RefOr<Schema>)>,
    service: &'static str,
}

impl Routes {
    /// No routes yet, of `service`.
    pub fn of(service: &'static str) -> Self {
        Self {
            service,
            ..Self::default()
        }
    }

    /// Registers `handler` at the method and path of its `#[utoipa::path]`, whose
    /// type is named `__path_` and the handler's name.
    #[must_use]
    #[expect(clippy::needless_pass_by_value, reason = "a handler is named, not lent")]
    pub fn add<P, G, Args, H>(mut self, class: RateClass, handler: H) -> Self
    where
        P: utoipa::Path + utoipa::__dev::SchemaReferences,
        G: Guard,
        H: Endpoint<G, Args>,
    {
        P::schemas(&mut self.schemas);
        for method in P::methods() {
            let route = Arc::new(Route {
                service: self.service,
                method: method_of(&method),
                path: P::path(),
                access: G::ACCESS,
                class,
                describe: described::<P, G, Args, H>,
            });
            let handler = handler.clone();
            let boxed: Handler = Arc::new(move |call| {
                let handler = handler.clone();
                Box::pin(async move { handler.call(call).await })
            });
            self.list.push((route, boxed));
        }
        self
    }

    /// Puts the routes of `other` behind these.
    #[must_use]
    pub fn and(mut self, other: Routes) -> Self {
        self.list.extend(other.list);
        self.schemas.extend(other.schemas);
        self
    }

    /// The registered routes.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<Route>> {
        self.list.iter().map(|(route, _)| route)
    }
}

/// The operation of `P`, with what is known of the handler's arguments.
fn described<P, G, Args, H>() -> Operation
where
    P: utoipa::Path,
    G: Guard,
    H: Endpoint<G, Args>,
{
    let mut operation = P::operation();
    if H::OPTIONAL_BODY
        && let Some(RefOr::T(body)) = &mut operation.request_body
    {
        body.required = Some(Required::False);
    }
    operation
}

fn method_of(method: &HttpMethod) -> Method {
    match method {
        HttpMethod::Get => Method::GET,
        HttpMethod::Post => Method::POST,
        HttpMethod::Put => Method::PUT,
        HttpMethod::Delete => Method::DELETE,
        HttpMethod::Options => Method::OPTIONS,
        HttpMethod::Head => Method::HEAD,
        HttpMethod::Patch => Method::PATCH,
        HttpMethod::Trace => Method::TRACE,
    }
}
