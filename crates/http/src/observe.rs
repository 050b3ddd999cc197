//! Errors as answers, and what is told of a request to those who watch.

use std::time::Instant;

use actix_web::body::BoxBody;
use actix_web::http::header::HeaderName;
use actix_web::http::{Method, StatusCode};
use actix_web::{HttpMessage as _, HttpRequest, HttpResponse};

use crate::dispatch::TraceParent;
use crate::{ApiError, Dialect, Route};

/// Logs what is our fault, once, and tells the client what it may know.
pub(crate) fn render(error: &ApiError, dialect: Dialect, request_id: &str) -> HttpResponse {
    if let Some(cause) = &error.cause {
        let chain = chain(cause.as_ref());
        if error.status == StatusCode::INTERNAL_SERVER_ERROR {
            tracing::error!(request_id, cause = %chain, "request failed");
        } else {
            tracing::warn!(request_id, code = %error.code, cause = %chain, "request refused");
        }
    }
    let mut builder = HttpResponse::build(error.status);
    for (name, value) in &error.headers {
        builder.insert_header((*name, value.as_str()));
    }
    if let Some(after) = error.retry_after {
        let seconds = after.as_secs_f64().ceil().max(1.0);
        builder.insert_header(("retry-after", format!("{seconds}")));
    }
    builder
        .json(dialect.error_body(error, request_id))
        .map_body(|_, body| BoxBody::new(body))
}

fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}

pub(crate) fn request_span(request: &HttpRequest, route: &Route, id: &str) -> tracing::Span {
    use opentelemetry::propagation::Extractor;
    use tracing_opentelemetry::OpenTelemetrySpanExt as _;

    struct Headers<'h>(&'h actix_web::http::header::HeaderMap, Option<TraceParent>);
    impl Extractor for Headers<'_> {
        fn get(&self, key: &str) -> Option<&str> {
            match &self.1 {
                Some(decided) if key == "traceparent" => Some(&decided.0),
                _ => self.0.get(key)?.to_str().ok(),
            }
        }
        fn keys(&self) -> Vec<&str> {
            self.0.keys().map(HeaderName::as_str).collect()
        }
    }

    let span = tracing::info_span!(
        "request",
        otel.name = %format_args!("{} {}", route.method, route.path),
        otel.kind = "server",
        service = route.service,
        request_id = id,
    );
    let parent = opentelemetry::global::get_text_map_propagator(|propagator| {
        let decided = request.extensions().get::<TraceParent>().cloned();
        propagator.extract(&Headers(request.headers(), decided))
    });
    // Fails only when no tracing layer is there to hold a parent.
    let _ = span.set_parent(parent);
    span
}

/// `service` and `template` are `none` where nothing is at the path.
pub(crate) fn count(
    (service, template): (&'static str, &str),
    method: &Method,
    status: StatusCode,
    started: Instant,
) {
    let labels = [
        ("service", service.to_owned()),
        ("route", template.to_owned()),
        ("method", method.as_str().to_owned()),
        ("status", status.as_u16().to_string()),
    ];
    metrics::histogram!("parlour_request_duration_seconds", &labels).record(started.elapsed().as_secs_f64());
}
