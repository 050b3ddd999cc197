//! What is to be done with a request: whose it is, what it counts against, who sends it.

use std::sync::Arc;

use actix_web::HttpRequest;
use parlour_http::{ApiError, Caller, RateClass, identify};

use crate::edge::access::Template;
use crate::front::Edge;
use crate::upstream::documents::Known;
use crate::upstream::pool::Pool;
use crate::upstream::sticky;

/// Who serves a request.
pub(crate) enum Target {
    Here,
    There(Arc<Pool>),
    /// Sockets and long polling, which stay with one replica.
    Realtime(Arc<Pool>),
}

/// What was found out about a request's route.
pub(crate) struct Plan {
    pub(crate) template: Template,
    pub(crate) class: RateClass,
    /// `None` while nobody has told.
    pub(crate) reads_tokens: Option<bool>,
}

impl Edge {
    /// Whose path it is. A service that is neither here nor there has no paths.
    pub(crate) fn target(&self, path: &str) -> Result<Target, ApiError> {
        let Some(service) = self.shared.prefixes.service(path) else {
            return Ok(Target::Here);
        };
        let pool = self.shared.pools.get(service);
        match pool {
            // Sockets have a listener of their own, wherever the services are.
            Some(pool) if is_realtime(path) => Ok(Target::Realtime(pool.clone())),
            _ if self.shared.is_here(service) => Ok(Target::Here),
            Some(pool) => Ok(Target::There(pool.clone())),
            None => Err(ApiError::not_found()),
        }
    }

    pub(crate) fn plan(&self, request: &HttpRequest, target: &Target) -> Plan {
        let unknown = |class, reads_tokens| Plan {
            template: Template::Unknown,
            class,
            reads_tokens,
        };
        match target {
            Target::Here => match self.local.router.route(request.method(), request.path()) {
                Some(route) => Plan {
                    class: route.class,
                    reads_tokens: Some(route.access.reads_tokens()),
                    template: Template::Local(route),
                },
                None => unknown(RateClass::General, Some(false)),
            },
            Target::There(pool) => {
                let documents = &self.shared.documents;
                match documents.find(&pool.service, request.method(), request.path()) {
                    Known::Route(route) => Plan {
                        class: route.class,
                        reads_tokens: Some(route.reads_tokens),
                        template: Template::Remote(route),
                    },
                    Known::NoRoute => unknown(RateClass::General, Some(false)),
                    Known::Nothing => unknown(RateClass::General, None),
                }
            }
            // A session is counted once, when it begins; what it carries is chat's to count.
            Target::Realtime(_) => Plan {
                template: Template::Fixed("realtime"),
                class: match sticky::sid(request) {
                    Some(_) => RateClass::None,
                    None => RateClass::Chat,
                },
                reads_tokens: None,
            },
        }
    }

    /// Who calls. A bad token ends the request here only where it is known that the route reads tokens.
    pub(crate) async fn caller(
        &self,
        request: &HttpRequest,
        reads_tokens: Option<bool>,
    ) -> Result<Option<Caller>, ApiError> {
        let verifier = self.local.router.verifier();
        match reads_tokens {
            Some(true) => identify(verifier, request).await.map(Some),
            Some(false) => Ok(None),
            None => Ok(identify(verifier, request).await.ok()),
        }
    }
}

/// What is between the platform's own processes, and what only operators see.
pub(crate) fn is_hidden(path: &str) -> bool {
    let first = path.split('/').nth(1).unwrap_or_default();
    matches!(first, "-" | "internal") || path == "/metrics"
}

/// What is upgraded, or polled: the paths of live connections.
pub(crate) fn is_realtime(path: &str) -> bool {
    let first = path.split('/').nth(1).unwrap_or_default();
    matches!(first, "socket.io" | "ws")
}
