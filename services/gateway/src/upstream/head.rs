//! The head of an answer, read as strictly as the standard allows (RFC 9112, section 6.3).

use std::mem::MaybeUninit;

use actix_web::http::header::{self, HeaderMap, HeaderName, HeaderValue};
use actix_web::http::{Method, StatusCode};
use bytes::{Bytes, BytesMut};

use super::chunked::Garbage;
use super::wire::{named, stays_here};
use crate::edge::cors;

/// The largest head of an answer, and the most headers in it.
const MOST_OF_HEAD: usize = 64 * 1024;
const MOST_HEADERS: usize = 128;

/// How the end of an answer's body is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Framing {
    None,
    Known(u64),
    Chunked,
    UntilClose,
}

/// The head of an answer.
#[derive(Debug)]
pub(crate) struct Head {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) framing: Framing,
    /// The length that was told, also where no body follows.
    pub(crate) told: Option<u64>,
    /// Whether the connection can be used again.
    pub(crate) keeps: bool,
}

/// Takes the head of an answer to `method` off `buffer`; `None` while it is not all there.
pub(crate) fn read_head(buffer: &mut BytesMut, method: &Method) -> Result<Option<Head>, Garbage> {
    let mut fields = [const { MaybeUninit::uninit() }; MOST_HEADERS];
    let mut parsed = httparse::Response::new(&mut []);
    let config = httparse::ParserConfig::default();
    let status = config.parse_response_with_uninit_headers(&mut parsed, buffer, &mut fields);
    let length = match status.map_err(|_| Garbage)? {
        httparse::Status::Complete(length) => length,
        httparse::Status::Partial if buffer.len() < MOST_OF_HEAD => return Ok(None),
        httparse::Status::Partial => return Err(Garbage),
    };
    let status = parsed
        .code
        .and_then(|code| StatusCode::from_u16(code).ok())
        .ok_or(Garbage)?;
    let modern = parsed.version == Some(1);
    let start = buffer.as_ptr() as usize;
    let mut places = Vec::with_capacity(parsed.headers.len());
    for field in parsed.headers.iter() {
        let name = HeaderName::from_bytes(field.name.as_bytes()).map_err(|_| Garbage)?;
        let at = (field.value.as_ptr() as usize)
            .checked_sub(start)
            .ok_or(Garbage)?;
        places.push((name, at..at + field.value.len()));
    }
    let bytes = buffer.split_to(length).freeze();
    let mut headers = HeaderMap::with_capacity(places.len() + 8);
    for (name, place) in places {
        let empty = place.is_empty();
        let value = if empty { Bytes::new() } else { bytes.slice(place) };
        headers.append(name, HeaderValue::from_maybe_shared(value).map_err(|_| Garbage)?);
    }
    finish(status, headers, modern, method).map(Some)
}

fn finish(
    status: StatusCode,
    mut headers: HeaderMap,
    modern: bool,
    method: &Method,
) -> Result<Head, Garbage> {
    let told = told_length(&headers)?;
    let chunked = chunked(&headers)?;
    if chunked && (told.is_some() || !modern) {
        return Err(Garbage);
    }
    let bodiless = method == Method::HEAD
        || status.is_informational()
        || matches!(status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED);
    let framing = match told {
        _ if bodiless => Framing::None,
        Some(length) => Framing::Known(length),
        None if chunked => Framing::Chunked,
        None => Framing::UntilClose,
    };
    let closes = headers.get_all(header::CONNECTION).any(|value| {
        let words = value.to_str().unwrap_or("close");
        words
            .split(',')
            .any(|word| word.trim().eq_ignore_ascii_case("close"))
    });
    for name in named(&headers) {
        headers.remove(name.as_str());
    }
    headers.retain(|name, _| {
        let name_text = name.as_str();
        !stays_here(name_text) && !cors::is_ours(name)
    });
    Ok(Head {
        status,
        headers,
        framing,
        told,
        keeps: modern && !closes && framing != Framing::UntilClose,
    })
}

/// The announced length; two that differ, or one that is no number, is an attack or a fault.
fn told_length(headers: &HeaderMap) -> Result<Option<u64>, Garbage> {
    let mut told = None;
    for value in headers.get_all(header::CONTENT_LENGTH) {
        let digits = value.as_bytes();
        if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
            return Err(Garbage);
        }
        let length = value
            .to_str()
            .ok()
            .and_then(|text| text.parse().ok())
            .ok_or(Garbage)?;
        if told.is_some_and(|before| before != length) {
            return Err(Garbage);
        }
        told = Some(length);
    }
    Ok(told)
}

fn chunked(headers: &HeaderMap) -> Result<bool, Garbage> {
    let mut codings = headers.get_all(header::TRANSFER_ENCODING);
    match (codings.next(), codings.next()) {
        (None, _) => Ok(false),
        (Some(only), None) if only.as_bytes().eq_ignore_ascii_case(b"chunked") => Ok(true),
        _ => Err(Garbage),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head(text: &str, method: &Method) -> Result<Option<Head>, Garbage> {
        read_head(&mut BytesMut::from(text), method)
    }

    fn framing(text: &str) -> Option<Framing> {
        head(text, &Method::GET).ok().flatten().map(|head| head.framing)
    }

    #[test]
    fn the_end_of_a_body_is_told_as_the_standard_says() {
        assert_eq!(
            framing("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n"),
            Some(Framing::Known(3))
        );
        assert_eq!(
            framing("HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n"),
            Some(Framing::Chunked)
        );
        assert_eq!(framing("HTTP/1.1 200 OK\r\n\r\n"), Some(Framing::UntilClose));
        assert_eq!(
            framing("HTTP/1.1 304 Not\r\nContent-Length: 3\r\n\r\n"),
            Some(Framing::None)
        );
        assert_eq!(framing("HTTP/1.1 204 No\r\n\r\n"), Some(Framing::None));
        let answer = "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n";
        let answer = head(answer, &Method::HEAD).unwrap().unwrap();
        assert_eq!((answer.framing, answer.told), (Framing::None, Some(3)));
    }

    #[test]
    fn ambiguous_answers_are_garbage() {
        for wrong in [
            "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\n",
            "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n",
            "HTTP/1.1 200 OK\r\nContent-Length: +3\r\n\r\n",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
            "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
            "HTTP/1.1 200 OK\r\nA: b\r\n folded\r\n\r\n",
            "SSH-2.0-OpenSSH\r\n\r\n",
            "HTTP/1.1 99 Low\r\n\r\n",
        ] {
            assert!(head(wrong, &Method::GET).is_err(), "{wrong:?}");
        }
        assert!(
            head("HTTP/1.1 200 OK\r\nContent-", &Method::GET)
                .unwrap()
                .is_none()
        );
    }

    #[test]
    fn what_is_between_neighbours_is_not_passed_on() {
        let answer = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close, X-Mine\r\nX-Mine: 1\r\n\
                      Keep-Alive: 5\r\nX-Parlour-Secret: 2\r\nSet-Cookie: a\r\nSet-Cookie: b\r\nX-Empty:\r\n\r\n";
        let answer = head(answer, &Method::GET).unwrap().unwrap();
        assert!(!answer.keeps);
        let mut names: Vec<&str> = answer.headers.iter().map(|(name, _)| name.as_str()).collect();
        names.sort_unstable();
        assert_eq!(names, ["set-cookie", "set-cookie", "x-empty"]);
    }
}
