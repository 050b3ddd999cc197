//! From a path to a handler, and from a handler's error to an answer.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Instant;

use actix_web::dev::Payload;
use actix_web::http::header::{HeaderName, HeaderValue};
use actix_web::http::{Method, StatusCode};
use actix_web::{HttpMessage as _, HttpRequest, HttpResponse};
use matchit::Router as Tree;
use parlour_auth::Verifier;
use percent_encoding::percent_decode_str;
use tracing::Instrument as _;

use crate::caller::{Caller, identify};
use crate::observe::{count, render, request_span};
use crate::request_id::{REQUEST_ID, request_id};
use crate::routes::Handler;
use crate::{ApiError, Call, Dialect, Limit, Route, Routes, ServiceHandle, TrustedProxies, buckets, code};

/// The route that a request was given to, in its extensions.
#[derive(Clone)]
pub struct RouteTemplate(pub Arc<Route>);

/// The W3C trace context that a front decided on, in the request's extensions.
/// It stands in the place of the header that the client sent.
#[derive(Clone)]
pub struct TraceParent(pub String);

/// The service and template of a path that leads to no route.
const NOWHERE: (&str, &str) = ("none", "none");

struct Entry {
    route: Arc<Route>,
    handler: Handler,
    service: Arc<ServiceHandle>,
}

/// All routes of a process.
pub struct Router {
    tree: Tree<HashMap<Method, Entry>>,
    verifier: Arc<Verifier>,
    proxies: TrustedProxies,
}

enum Found<'r> {
    Entry(&'r Entry, Vec<(String, String)>),
    WrongMethod(String),
    Nothing,
}

impl Router {
    /// Builds the table. The error names a path that two routes claim.
    pub fn new(
        services: Vec<(Routes, Arc<ServiceHandle>)>,
        verifier: Arc<Verifier>,
        proxies: TrustedProxies,
    ) -> Result<Self, String> {
        let mut paths: HashMap<String, HashMap<Method, Entry>> = HashMap::new();
        for (routes, service) in services {
            for (route, handler) in routes.list {
                let name = format!("{} {}", route.method, route.path);
                let methods = paths.entry(route.path.clone()).or_default();
                let entry = Entry {
                    handler,
                    service: service.clone(),
                    route,
                };
                if methods.insert(entry.route.method.clone(), entry).is_some() {
                    return Err(format!("{name} is registered twice"));
                }
            }
        }
        let mut tree = Tree::new();
        for (path, methods) in paths {
            tree.insert(path.clone(), methods)
                .map_err(|error| format!("{path}: {error}"))?;
        }
        Ok(Self {
            tree,
            verifier,
            proxies,
        })
    }

    /// The verifier that this process uses.
    pub fn verifier(&self) -> &Arc<Verifier> {
        &self.verifier
    }

    /// The proxies that this process believes.
    pub fn proxies(&self) -> &TrustedProxies {
        &self.proxies
    }

    /// Answers `error` in the dialect of the request's path.
    pub fn error(&self, request: &HttpRequest, error: &ApiError) -> HttpResponse {
        render(error, Dialect::of(request.path()), &request_id(request))
    }

    /// The route that a method and path lead to.
    pub fn route(&self, method: &Method, path: &str) -> Option<Arc<Route>> {
        let methods = match self.tree.at(path) {
            Ok(found) => found.value,
            Err(_) => self.tree.at(&other_slash(path)).ok()?.value,
        };
        of_method(methods, method).map(|entry| entry.route.clone())
    }

    /// With and without a trailing slash means the same, unless both are registered.
    fn find(&self, method: &Method, path: &str) -> Found<'_> {
        let at = |path: &str| {
            let found = self.tree.at(path).ok()?;
            let mut params = Vec::new();
            for (name, value) in found.params.iter() {
                params.push((name.to_owned(), decoded(value)?));
            }
            Some((found.value, params))
        };
        let Some((methods, params)) = at(path).or_else(|| at(&other_slash(path))) else {
            return Found::Nothing;
        };
        match of_method(methods, method) {
            Some(entry) => Found::Entry(entry, params),
            None => Found::WrongMethod(allow(methods)),
        }
    }

    /// Answers a request. Never fails: an error is an answer too.
    pub async fn dispatch(&self, request: HttpRequest, payload: Payload) -> HttpResponse {
        let id = request_id(&request);
        let started = Instant::now();
        let method = request.method().clone();
        let dialect = Dialect::of(request.path());
        let (result, place) = match self.find(&method, request.uri().path()) {
            Found::Entry(entry, params) => {
                request
                    .extensions_mut()
                    .insert(RouteTemplate(entry.route.clone()));
                let span = request_span(&request, &entry.route, &id);
                let work = self.handle(entry, params, request, payload, id.clone());
                let place = (entry.route.service, entry.route.path.as_str());
                (work.instrument(span).await, place)
            }
            Found::WrongMethod(allow) => (Err(method_not_allowed(allow)), NOWHERE),
            Found::Nothing => (Err(ApiError::not_found()), NOWHERE),
        };
        let mut response = result.unwrap_or_else(|error| render(&error, dialect, &id));
        if let Ok(value) = HeaderValue::from_str(&id) {
            let name = HeaderName::from_static(REQUEST_ID);
            response.headers_mut().insert(name, value);
        }
        count(place, &method, response.status(), started);
        response
    }

    async fn handle(
        &self,
        entry: &Entry,
        params: Vec<(String, String)>,
        request: HttpRequest,
        payload: Payload,
        request_id: String,
    ) -> Result<HttpResponse, ApiError> {
        let address = crate::client_address(&request, &self.proxies);
        let caller = self.authenticate(entry, &request).await?;
        let mut call = Call {
            request,
            payload,
            service: entry.service.clone(),
            route: entry.route.clone(),
            params,
            principal: caller.principal,
            by_cookie: caller.by_cookie,
            request_id,
            address,
            body_hash: [0; 32],
        };
        let limited = limit(&call).await?;
        call.params.shrink_to_fit();
        let dialect = Dialect::of(&call.route.path);
        let id = call.request_id.clone();
        let mut response = (entry.handler)(call)
            .await
            .unwrap_or_else(|error| render(&error, dialect, &id));
        for (name, value) in limited {
            response.headers_mut().insert(name, value);
        }
        Ok(response)
    }

    /// Who calls, where the route wants to know.
    async fn authenticate(&self, entry: &Entry, request: &HttpRequest) -> Result<Caller, ApiError> {
        if !entry.route.access.reads_tokens() {
            return Ok(Caller::default());
        }
        if let Some(known) = request.extensions().get::<Caller>() {
            return Ok(known.clone());
        }
        identify(&self.verifier, request).await
    }
}

/// The path with the trailing slash that it lacks, or without the one it has.
fn other_slash(path: &str) -> std::borrow::Cow<'_, str> {
    match path.strip_suffix('/') {
        Some(stripped) => stripped.into(),
        None => format!("{path}/").into(),
    }
}

/// HEAD is GET without the body, which the server leaves away.
fn of_method<'m>(methods: &'m HashMap<Method, Entry>, method: &Method) -> Option<&'m Entry> {
    let as_get = || {
        (method == Method::HEAD)
            .then(|| methods.get(&Method::GET))
            .flatten()
    };
    methods.get(method).or_else(as_get)
}

async fn limit(call: &Call) -> Result<Vec<(HeaderName, HeaderValue)>, ApiError> {
    let class = call.route.class;
    let Some(figure) = call.service.limits.get(class).filter(|_| class.is_durable()) else {
        return Ok(Vec::new());
    };
    // Signing in is counted per address, everything else per person.
    let key = match &call.principal {
        Some(caller) if class != crate::RateClass::Auth => caller.id.to_string(),
        _ => call.address.to_string(),
    };
    let taken = buckets::take(&call.service, class, figure, &key).await?;
    let headers = [
        ("ratelimit-policy", figure.policy_header(class)),
        ("ratelimit", Limit::header(class, taken.remaining, taken.reset)),
    ];
    if let Some(after) = taken.refused {
        let mut error = ApiError::too_many_requests(after);
        error.headers.extend(headers.map(|(n, v)| (n, v)));
        return Err(error);
    }
    Ok(headers
        .into_iter()
        .filter_map(|(name, value)| {
            Some((HeaderName::from_static(name), HeaderValue::from_str(&value).ok()?))
        })
        .collect())
}

fn decoded(value: &str) -> Option<String> {
    let text = percent_decode_str(value).decode_utf8().ok()?;
    Some(text.into_owned())
}

fn allow(methods: &HashMap<Method, Entry>) -> String {
    let mut names: Vec<&str> = methods.keys().map(Method::as_str).collect();
    if names.contains(&"GET") && !names.contains(&"HEAD") {
        names.push("HEAD");
    }
    names.sort_unstable();
    names.join(", ")
}

fn method_not_allowed(allow: String) -> ApiError {
    ApiError::new(
        StatusCode::METHOD_NOT_ALLOWED,
        code::METHOD_NOT_ALLOWED,
        "This path does not take that method.",
    )
    .with_header("Allow", allow)
}
