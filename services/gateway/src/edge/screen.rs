//! Requests that are refused for their form, before anybody looks at what they want.

use actix_web::HttpRequest;
use actix_web::http::{Method, StatusCode, Version, header};
use parlour_http::{ApiError, code};

use crate::config::CapSettings;

/// Refuses what means one thing to one server and something else to the next.
pub(crate) fn screen(request: &HttpRequest, caps: &CapSettings) -> Result<(), ApiError> {
    let uri = request.uri();
    // In HTTP/2 every request names its authority; in HTTP/1.1 it is an order to a forward proxy.
    if uri.authority().is_some() && request.version() < Version::HTTP_2 {
        return Err(malformed("must be a path, not a whole URL"));
    }
    let line = uri.path_and_query().map_or("", |line| line.as_str());
    if line.len() > caps.line_bytes {
        return Err(ApiError::new(
            StatusCode::URI_TOO_LONG,
            code::VALIDATION_ERROR,
            "The path and query are too long.",
        ));
    }
    if request.method() == Method::CONNECT || !line.starts_with('/') {
        return Err(malformed("must begin with a slash"));
    }
    if let Some(problem) = ambiguity(uri.path()) {
        return Err(malformed(problem));
    }
    head_size(request, caps.head_bytes)
}

fn malformed(problem: &str) -> ApiError {
    ApiError::field("path", problem)
}

fn head_size(request: &HttpRequest, most: usize) -> Result<(), ApiError> {
    let of =
        |(name, value): (&header::HeaderName, &header::HeaderValue)| name.as_str().len() + value.len() + 4;
    if request.headers().iter().map(of).sum::<usize>() <= most {
        return Ok(());
    }
    Err(ApiError::new(
        StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
        code::VALIDATION_ERROR,
        "The headers are too large.",
    ))
}

/// What in a path two servers could read differently.
fn ambiguity(path: &str) -> Option<&'static str> {
    let bytes = path.as_bytes();
    for (at, byte) in bytes.iter().enumerate() {
        match byte {
            b'\\' => return Some("must not have a backslash"),
            b'.' if starts_segment(bytes, at) && is_dots(bytes.get(at..).unwrap_or_default()) => {
                return Some("must not have . or .. as a segment");
            }
            b'%' => match bytes
                .get(at + 1..at + 3)
                .map(<[u8]>::to_ascii_lowercase)
                .as_deref()
            {
                Some(b"2f" | b"5c") => return Some("must not have an encoded slash"),
                Some(b"2e") => return Some("must not have an encoded dot"),
                Some(b"00") => return Some("must not have a null character"),
                Some([a, b]) if a.is_ascii_hexdigit() && b.is_ascii_hexdigit() => {}
                _ => return Some("has a broken percent-encoding"),
            },
            _ => {}
        }
    }
    None
}

fn starts_segment(path: &[u8], at: usize) -> bool {
    at.checked_sub(1).and_then(|before| path.get(before)) == Some(&b'/')
}

/// Whether the segment that begins here is `.` or `..`, also with a parameter behind it.
fn is_dots(rest: &[u8]) -> bool {
    let segment = rest
        .split(|byte| matches!(byte, b'/' | b';'))
        .next()
        .unwrap_or_default();
    segment == b"." || segment == b".."
}

#[cfg(test)]
mod tests {
    use super::ambiguity;

    #[test]
    fn ambiguous_paths_are_refused_and_plain_ones_are_not() {
        let refused = [
            "/a/../b",
            "/..",
            "/a/.",
            "/a/./b",
            "/a/..;x/b",
            "/%2e%2e/b",
            "/a/%2E./b",
            "/a%2fb",
            "/a%5Cb",
            "/a\\b",
            "/a%00",
            "/a%zz",
            "/a%2",
        ];
        for path in refused {
            assert!(ambiguity(path).is_some(), "{path}");
        }
        for path in [
            "/",
            "/a.b/..c",
            "/.well-known/jwks.json",
            "/a/b...",
            "/%D9%85/%20x",
            "/a;b=1/c",
        ] {
            assert!(ambiguity(path).is_none(), "{path}");
        }
    }
}
