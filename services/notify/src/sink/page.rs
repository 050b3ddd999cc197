//! The page that lists what was sent, and the same as JSON.

use std::fmt::Write as _;
use std::sync::Arc;

use actix_web::guard::{Guard, GuardContext};
use actix_web::http::header;
use actix_web::{HttpResponse, web};
use serde_json::json;

use super::{Entry, Medium, Outbox};

/// No scripts, nothing from elsewhere, in nobody's frame. A mail's own frame inherits it.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-src 'self'; \
                      base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const STYLE: &str = include_str!("page.css");

/// The routes of the page, for a listener that only the machine itself reaches:
/// `/dev/outbox` and `/dev/outbox.json`.
pub fn routes(outbox: Arc<Outbox>) -> impl Fn(&mut web::ServiceConfig) + Clone {
    move |config| {
        let scope = web::scope("/dev")
            .guard(OwnName)
            .app_data(web::Data::from(outbox.clone()))
            .route("/outbox", web::get().to(page))
            .route("/outbox.json", web::get().to(list));
        config.service(scope);
    }
}

/// The request names this machine. A foreign page whose name was made to lead here cannot.
struct OwnName;

impl Guard for OwnName {
    fn check(&self, context: &GuardContext<'_>) -> bool {
        let host = context.head().headers().get(header::HOST);
        let host = host.and_then(|host| host.to_str().ok()).unwrap_or_default();
        let name = host
            .rsplit_once(':')
            .map_or(host, |(name, port)| if port.ends_with(']') { host } else { name });
        matches!(name, "localhost" | "127.0.0.1" | "[::1]")
    }
}

async fn page(outbox: web::Data<Outbox>) -> HttpResponse {
    let entries = outbox.newest_first();
    let mut html =
        String::from("<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>Outbox</title>");
    let _ = write!(
        html,
        "<meta name=\"viewport\" content=\"width=device-width\"><style>{STYLE}</style>\
         <h1>Outbox</h1><p>{} sent, newest first. <a href=\"/dev/outbox.json\">JSON</a></p>",
        entries.len()
    );
    for (medium, entry) in &entries {
        show(&mut html, *medium, entry);
    }
    HttpResponse::Ok()
        .content_type("text/html; charset=utf-8")
        .insert_header((header::CONTENT_SECURITY_POLICY, POLICY))
        .insert_header((header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .insert_header((header::REFERRER_POLICY, "no-referrer"))
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .body(html)
}

async fn list(outbox: web::Data<Outbox>) -> HttpResponse {
    let entries: Vec<_> = outbox
        .newest_first()
        .into_iter()
        .map(|(medium, entry)| json!({ "medium": medium, "entry": entry }))
        .collect();
    HttpResponse::Ok()
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .json(entries)
}

/// Writing to a string cannot fail, which is why nothing looks at the results.
fn show(html: &mut String, medium: Medium, entry: &Entry) {
    let at = json!(entry.at);
    let _ = write!(
        html,
        "<article><header><b>{}</b> <span>{}</span> <time>{}</time></header>",
        medium.name(),
        escape(&entry.to),
        escape(at.as_str().unwrap_or_default()),
    );
    if let Some(subject) = &entry.subject {
        let _ = write!(html, "<h2 dir=\"auto\">{}</h2>", escape(subject));
    }
    let _ = write!(html, "<pre dir=\"auto\">{}</pre>", linked(&entry.text));
    if let Some(body) = &entry.html {
        let _ = write!(
            html,
            "<details open><summary>HTML</summary><iframe sandbox title=\"The mail's HTML\" srcdoc=\"{}\"></iframe></details>",
            escape(body)
        );
    }
    if !entry.data.is_null() {
        let data = format!("{:#}", entry.data);
        let _ = write!(
            html,
            "<details><summary>Data</summary><pre>{}</pre></details>",
            escape(&data)
        );
    }
    html.push_str("<details><summary>Headers</summary><dl>");
    for (name, value) in &entry.headers {
        let _ = write!(html, "<dt>{}</dt><dd>{}</dd>", escape(name), escape(value));
    }
    html.push_str("</dl></details></article>");
}

/// Escaped, with what is a web address by itself made a link.
fn linked(text: &str) -> String {
    text.split_inclusive(char::is_whitespace)
        .map(|piece| {
            let word = piece.trim_end();
            let rest = piece.get(word.len()..).unwrap_or_default();
            let is_link = word.starts_with("https://") || word.starts_with("http://");
            let word = escape(word);
            if is_link {
                format!("<a rel=\"noreferrer\" href=\"{word}\">{word}</a>{rest}")
            } else {
                format!("{word}{rest}")
            }
        })
        .collect()
}

/// Safe as an element's text and as a quoted attribute's value.
fn escape(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            _ => safe.push(c),
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_was_sent_becomes_markup() {
        assert_eq!(
            escape(r#"<a b="c" d='e'>&"#),
            "&lt;a b=&quot;c&quot; d=&#39;e&#39;&gt;&amp;"
        );
        assert_eq!(
            linked("see https://x/?a=1&b=\"<\nbye"),
            "see <a rel=\"noreferrer\" href=\"https://x/?a=1&amp;b=&quot;&lt;\">https://x/?a=1&amp;b=&quot;&lt;</a>\nbye"
        );
        assert_eq!(linked("javascript:alert(1)"), "javascript:alert(1)");
    }
}
