//! Headers that keep browsers from being helpful to attackers.

use actix_web::http::header::{self, HeaderMap, HeaderValue};

/// Two years, which is what preload lists ask for.
const HSTS: HeaderValue = HeaderValue::from_static("max-age=63072000; includeSubDomains");

/// Adds what is not there yet.
pub(crate) fn harden(headers: &mut HeaderMap, tls: bool) {
    let mut add = |name, value| {
        if !headers.contains_key(&name) {
            headers.insert(name, value);
        }
    };
    add(
        header::X_CONTENT_TYPE_OPTIONS,
        HeaderValue::from_static("nosniff"),
    );
    add(header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
    add(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    if tls {
        add(header::STRICT_TRANSPORT_SECURITY, HSTS);
    }
}
