//! What the services say of themselves: which routes they have, who may call them,
//! what they count against.

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use actix_web::http::Method;
use matchit::Router as Tree;
use parlour_http::RateClass;
use serde::Deserialize as _;
use serde_json::Value;

/// A route of a service that runs elsewhere.
#[derive(Debug)]
pub(crate) struct RemoteRoute {
    pub(crate) path: String,
    pub(crate) class: RateClass,
    pub(crate) reads_tokens: bool,
}

/// What is known of a path of a service.
pub(crate) enum Known {
    Route(Arc<RemoteRoute>),
    /// The service has told its routes, and this is none of them.
    NoRoute,
    /// It has not told yet.
    Nothing,
}

type Methods = Vec<(Method, Arc<RemoteRoute>)>;

struct Told {
    document: Value,
    routes: Tree<Methods>,
}

/// The documents of all services that run elsewhere.
#[derive(Default)]
pub(crate) struct Documents {
    told: RwLock<HashMap<String, Arc<Told>>>,
    changes: AtomicU64,
}

impl Documents {
    /// Takes a service's document over.
    pub(crate) fn learn(&self, service: &str, document: Value) {
        let known = self
            .told
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .get(service)
            .cloned();
        if known.is_some_and(|known| known.document == document) {
            return;
        }
        let routes = routes(&document);
        let told = Arc::new(Told { document, routes });
        let mut all = self.told.write().unwrap_or_else(PoisonError::into_inner);
        all.insert(service.to_owned(), told);
        drop(all);
        self.changes.fetch_add(1, Ordering::Release);
        tracing::info!(service, "took over the service's document");
    }

    /// How often anything changed.
    pub(crate) fn changes(&self) -> u64 {
        self.changes.load(Ordering::Acquire)
    }

    /// Whether a service has told its document.
    pub(crate) fn knows(&self, service: &str) -> bool {
        self.told
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .contains_key(service)
    }

    /// All documents, by service.
    pub(crate) fn all(&self) -> BTreeMap<String, Value> {
        let told = self.told.read().unwrap_or_else(PoisonError::into_inner);
        told.iter()
            .map(|(name, told)| (name.clone(), told.document.clone()))
            .collect()
    }

    /// The route that a request leads to. As in the services, a trailing slash more or less means the same.
    pub(crate) fn find(&self, service: &str, method: &Method, path: &str) -> Known {
        let told = self.told.read().unwrap_or_else(PoisonError::into_inner);
        let Some(told) = told.get(service) else {
            return Known::Nothing;
        };
        let methods = told.routes.at(path).or_else(|_| {
            let other = path
                .strip_suffix('/')
                .map_or_else(|| format!("{path}/"), ToOwned::to_owned);
            told.routes.at(&other).map(|found| matchit::Match {
                value: found.value,
                params: matchit::Params::default(),
            })
        });
        let wanted = if method == Method::HEAD {
            &Method::GET
        } else {
            method
        };
        let route = methods.ok().and_then(|found| {
            let of = |wanted: &Method| found.value.iter().find(|(known, _)| known == wanted);
            of(method).or_else(|| of(wanted)).map(|(_, route)| route.clone())
        });
        route.map_or(Known::NoRoute, Known::Route)
    }
}

fn routes(document: &Value) -> Tree<Methods> {
    let mut tree = Tree::new();
    let paths = document.get("paths").and_then(Value::as_object);
    for (path, item) in paths.into_iter().flatten() {
        let operations = item.as_object().into_iter().flatten();
        let methods: Methods = operations
            .filter_map(|(name, operation)| {
                let method = Method::from_bytes(name.to_ascii_uppercase().as_bytes()).ok()?;
                Some((method, Arc::new(route(path, operation))))
            })
            .collect();
        if let Err(error) = tree.insert(path.clone(), methods) {
            tracing::warn!(path, %error, "a path of a service's document cannot be matched");
        }
    }
    tree
}

fn route(path: &str, operation: &Value) -> RemoteRoute {
    let class = operation
        .get("x-rate-class")
        .and_then(|class| RateClass::deserialize(class).ok());
    let reads = operation.get("x-reads-tokens").and_then(Value::as_bool);
    RemoteRoute {
        path: path.to_owned(),
        class: class.unwrap_or(RateClass::General),
        reads_tokens: reads.unwrap_or(false),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn routes_are_found_as_the_service_finds_them() {
        let documents = Documents::default();
        assert!(matches!(
            documents.find("orders", &Method::GET, "/api/orders"),
            Known::Nothing
        ));
        documents.learn(
            "orders",
            json!({"paths": {
                "/api/orders/{id}": {"get": {"x-rate-class": "chat", "x-reads-tokens": true}},
                "/api/orders": {"post": {"x-rate-class": "payment", "x-reads-tokens": true}},
                "/profile/": {"get": {}},
            }}),
        );
        let class = |method: &Method, path: &str| match documents.find("orders", method, path) {
            Known::Route(route) => Some(route.class),
            _ => None,
        };
        assert_eq!(class(&Method::GET, "/api/orders/7/"), Some(RateClass::Chat));
        assert_eq!(class(&Method::HEAD, "/api/orders/7"), Some(RateClass::Chat));
        assert_eq!(class(&Method::POST, "/api/orders"), Some(RateClass::Payment));
        assert_eq!(class(&Method::GET, "/profile"), Some(RateClass::General));
        assert_eq!(class(&Method::GET, "/api/orders"), None);
    }
}
