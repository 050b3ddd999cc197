//! What a request is called, in answers, logs and traces.

use actix_web::{HttpMessage as _, HttpRequest};

/// The header with a request's id.
pub const REQUEST_ID: &str = "x-request-id";

/// The request's id, in its extensions: what a front chose holds for everything behind it.
#[derive(Clone)]
pub struct RequestId(pub String);

/// The id that a front gave the request, else the client's own when it is sane, else a new one.
pub fn request_id(request: &HttpRequest) -> String {
    if let Some(RequestId(id)) = request.extensions().get() {
        return id.clone();
    }
    let given = request.headers().get(REQUEST_ID).and_then(|v| v.to_str().ok());
    given
        .filter(|id| {
            (1..=64).contains(&id.len())
                && id
                    .bytes()
                    .all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b))
        })
        .map_or_else(new_id, ToOwned::to_owned)
}

fn new_id() -> String {
    let mut text = [0; uuid::fmt::Hyphenated::LENGTH];
    parlour_contracts::id::new()
        .hyphenated()
        .encode_lower(&mut text)
        .to_owned()
}
