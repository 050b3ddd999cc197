//! Whether an answer looks like one of ours.

use parlour_http::Dialect;
use serde_json::Value;

use crate::Answer;

/// What only somebody who sees the inside would write. Lower case.
const INSIDE: [&str; 9] = [
    "diesel",
    "panicked",
    "sqlstate",
    "pg_",
    "tokio",
    "serde",
    ".rs:",
    "syntax error at or near",
    "::",
];

/// Says what is wrong with an answer, whatever it answers.
pub(super) fn check(dialect: Dialect, answer: &Answer) -> Result<(), String> {
    let id = answer.header("x-request-id").ok_or("no X-Request-Id")?;
    match answer.status() {
        200..400 => Ok(()),
        400..500 if answer.is_to_head() => Ok(()),
        400..500 => error(dialect, answer, id),
        _ => Err("not a 2xx, 3xx or 4xx".to_owned()),
    }
}

fn error(dialect: Dialect, answer: &Answer, id: &str) -> Result<(), String> {
    let kind = answer.header("content-type").unwrap_or_default();
    if !kind.starts_with("application/json") {
        return Err(format!("an error of type {kind:?}"));
    }
    let body: Value = serde_json::from_slice(answer.bytes()).map_err(|error| format!("not JSON: {error}"))?;
    let text = |name: &str| {
        body.get(name)
            .and_then(Value::as_str)
            .filter(|text| !text.is_empty())
    };
    for name in ["error", "code", "timestamp"] {
        text(name).ok_or_else(|| format!("no {name} in the envelope"))?;
    }
    let enveloped = body.get("success") == Some(&Value::Bool(false)) && text("request_id") == Some(id);
    if dialect != Dialect::SafeTalk && !enveloped {
        return Err("not the envelope of the dialect".to_owned());
    }
    // What the client sent may come back in the details.
    let said = text("error").unwrap_or_default().to_lowercase();
    match INSIDE.iter().find(|word| said.contains(**word)) {
        Some(word) => Err(format!("the error tells of the inside: {word:?}")),
        None => Ok(()),
    }
}
