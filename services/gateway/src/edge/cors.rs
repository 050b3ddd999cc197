//! Which pages may call (the Fetch standard's CORS protocol), from an exact list.

use actix_web::http::header::{self, HeaderMap, HeaderName, HeaderValue};
use actix_web::http::{Method, StatusCode};
use actix_web::{HttpRequest, HttpResponse};

use crate::config::CorsSettings;

const METHODS: &str = "GET, HEAD, POST, PUT, PATCH, DELETE";
/// What a page may read of an answer, besides what every page may.
const EXPOSED: &str = "X-Request-Id, RateLimit, RateLimit-Policy, Retry-After, Location, ETag, \
     Content-Disposition, Content-Range, Accept-Ranges, Idempotency-Replayed, \
     Tus-Resumable, Upload-Offset, Upload-Length, Upload-Expires";
/// What a page may send when it asks for nothing in particular that we know of.
const HEADERS: &str = "Authorization, Content-Type, Idempotency-Key, X-Request-Id, X-CSRFToken, \
     traceparent, Range, If-Match, If-None-Match, \
     Tus-Resumable, Upload-Offset, Upload-Length, Upload-Metadata, Upload-Checksum";

/// The list, ready to be looked at.
pub(crate) struct Cors {
    origins: Vec<HeaderValue>,
    max_age: HeaderValue,
}

impl Cors {
    pub(crate) fn new(settings: &CorsSettings) -> Self {
        let origins = settings.origins.0.iter();
        Self {
            origins: origins
                .filter_map(|origin| HeaderValue::from_str(origin).ok())
                .collect(),
            max_age: settings.max_age_seconds.into(),
        }
    }

    /// The request's origin, if it is on the list.
    fn allowed(&self, request: &HttpRequest) -> Option<&HeaderValue> {
        let origin = request.headers().get(header::ORIGIN)?;
        self.origins.iter().find(|known| *known == origin)
    }

    /// The answer to a preflight; `None` for every other request. An origin that is
    /// not on the list gets an answer without permission, which is the refusal.
    pub(crate) fn preflight(&self, request: &HttpRequest) -> Option<HttpResponse> {
        let asks = request
            .headers()
            .contains_key(header::ACCESS_CONTROL_REQUEST_METHOD);
        if request.method() != Method::OPTIONS || !asks {
            return None;
        }
        let mut response = HttpResponse::new(StatusCode::NO_CONTENT);
        if self.allowed(request).is_some() {
            let headers = response.headers_mut();
            let fixed = |text| HeaderValue::from_static(text);
            headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, fixed(METHODS));
            headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, fixed(HEADERS));
            headers.insert(header::ACCESS_CONTROL_MAX_AGE, self.max_age.clone());
        }
        Some(response)
    }

    /// Tells the browser whether its page may read the answer.
    pub(crate) fn mark(&self, request: &HttpRequest, headers: &mut HeaderMap) {
        if self.origins.is_empty() {
            return;
        }
        headers.append(header::VARY, HeaderValue::from_static("Origin"));
        let Some(origin) = self.allowed(request) else {
            return;
        };
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
        headers.insert(
            header::ACCESS_CONTROL_ALLOW_CREDENTIALS,
            HeaderValue::from_static("true"),
        );
        headers.insert(
            header::ACCESS_CONTROL_EXPOSE_HEADERS,
            HeaderValue::from_static(EXPOSED),
        );
    }
}

/// Whether only the gateway may say this, whatever a service answered.
pub(crate) fn is_ours(name: &HeaderName) -> bool {
    name.as_str().starts_with("access-control-")
}
