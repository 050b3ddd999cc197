//! Text that is worth it travels compressed, when nobody did it before.

use actix_http::encoding::Encoder;
use actix_http::header::ContentEncoding;
use actix_web::body::{BodySize, BoxBody, MessageBody as _};
use actix_web::http::header::{self, HeaderMap, HeaderValue};
use actix_web::http::{Method, StatusCode};
use actix_web::{HttpRequest, HttpResponse};

/// Below this the headers cost more than is saved.
const WORTH_IT: u64 = 1024;

/// Compresses the answer if the client can read that and it pays.
pub(crate) fn compress(request: &HttpRequest, mut response: HttpResponse) -> HttpResponse {
    let long = match response.body().size() {
        BodySize::Sized(length) => length > WORTH_IT,
        BodySize::Stream => true,
        BodySize::None => false,
    };
    if !long || !is_text(&response) || request.method() == Method::HEAD {
        return response;
    }
    let Some(encoding) = preferred(request.headers()) else {
        vary(response.headers_mut());
        return response;
    };
    weaken(response.headers_mut());
    response.map_body(|head, body| BoxBody::new(Encoder::response(encoding, head, body)))
}

fn is_text(response: &HttpResponse) -> bool {
    let headers = response.headers();
    let kind = headers
        .get(header::CONTENT_TYPE)
        .and_then(|kind| kind.to_str().ok());
    let kind = kind
        .unwrap_or_default()
        .split(';')
        .next()
        .unwrap_or_default()
        .trim_end();
    let text = kind == "application/json"
        || kind.ends_with("+json")
        || matches!(kind, "text/html" | "text/css" | "text/javascript" | "text/csv");
    let kept = headers
        .get(header::CACHE_CONTROL)
        .is_some_and(|value| value.to_str().is_ok_and(|value| value.contains("no-transform")));
    text && !kept
        && response.status() != StatusCode::PARTIAL_CONTENT
        && !headers.contains_key(header::CONTENT_ENCODING)
}

/// Brotli before gzip, of what the client takes.
fn preferred(headers: &HeaderMap) -> Option<ContentEncoding> {
    let mut gzip = false;
    for value in headers.get_all(header::ACCEPT_ENCODING) {
        for item in value.to_str().unwrap_or_default().split(',') {
            let (name, weight) = item.split_once(';').unwrap_or((item, ""));
            let refused = weight
                .trim()
                .strip_prefix("q=")
                .is_some_and(|q| q.parse() == Ok(0.0));
            match name.trim() {
                _ if refused => {}
                "br" => return Some(ContentEncoding::Brotli),
                "gzip" | "*" => gzip = true,
                _ => {}
            }
        }
    }
    gzip.then_some(ContentEncoding::Gzip)
}

fn vary(headers: &mut HeaderMap) {
    headers.append(header::VARY, HeaderValue::from_static("accept-encoding"));
}

/// The compressed bytes are other bytes: a strong tag would promise that they are the same.
fn weaken(headers: &mut HeaderMap) {
    let Some(tag) = headers
        .get(header::ETAG)
        .filter(|tag| !tag.as_bytes().starts_with(b"W/"))
    else {
        return;
    };
    let weak = [b"W/", tag.as_bytes()].concat();
    if let Ok(weak) = HeaderValue::from_bytes(&weak) {
        headers.insert(header::ETAG, weak);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn choice(accepted: &'static str) -> Option<ContentEncoding> {
        let mut headers = HeaderMap::new();
        headers.insert(header::ACCEPT_ENCODING, HeaderValue::from_static(accepted));
        preferred(&headers)
    }

    #[test]
    fn the_clients_word_counts() {
        assert_eq!(choice("gzip, deflate, br"), Some(ContentEncoding::Brotli));
        assert_eq!(choice("gzip;q=0.5, br;q=0"), Some(ContentEncoding::Gzip));
        assert_eq!(choice("identity"), None);
        assert_eq!(choice("br;q=0, gzip;q=0.0"), None);
    }
}
