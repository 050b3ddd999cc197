//! A mail as an entry of the outbox.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use mail_parser::{Message, MessageParser, PartType};
use serde_json::Value;

use crate::channels::smtp::mail::DATA_HEADER;
use crate::sink::Entry;

/// The entry that `text`, sent to `to`, is. What is no mail is kept as it came.
pub(super) fn entry(to: &str, text: &[u8]) -> Entry {
    let mut entry = Entry {
        to: to.to_owned(),
        subject: None,
        text: String::new(),
        data: Value::Null,
        html: None,
        headers: BTreeMap::new(),
        at: chrono::Utc::now().into(),
    };
    let Some(mail) = MessageParser::default().parse(text) else {
        entry.text = String::from_utf8_lossy(text).into_owned();
        return entry;
    };
    entry.subject = mail.subject().map(str::to_owned);
    entry.text = part(&mail, false).unwrap_or_default();
    entry.html = part(&mail, true);
    for (name, value) in mail.headers_raw() {
        let value = value.split_whitespace().collect::<Vec<_>>().join(" ");
        if name.eq_ignore_ascii_case(DATA_HEADER) {
            entry.data = data(&value).unwrap_or(Value::Null);
        } else {
            entry.headers.entry(name.to_owned()).or_insert(value);
        }
    }
    entry
}

/// The first part that is text or HTML.
fn part(mail: &Message<'_>, html: bool) -> Option<String> {
    mail.parts.iter().find_map(|part| match &part.body {
        PartType::Text(text) if !html => Some(text.replace("\r\n", "\n")),
        PartType::Html(text) if html => Some(text.replace("\r\n", "\n")),
        _ => None,
    })
}

fn data(folded: &str) -> Option<Value> {
    let bytes = STANDARD.decode(folded.replace(' ', "")).ok()?;
    serde_json::from_slice(&bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_headers_and_data_are_found() {
        let data = STANDARD.encode(r#"{"code":"42"}"#);
        let mail = format!(
            "Subject: =?utf-8?B?{}?=\r\nX-Long: a\r\n b\r\nX-Parlour-Data: {}\r\n {}\r\n\
             Content-Type: multipart/alternative; boundary=x\r\n\r\n\
             --x\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nقراءة\r\n\
             --x\r\nContent-Type: text/html\r\n\r\n<p>hi</p>\r\n--x--\r\n",
            STANDARD.encode("مرحبا"),
            &data[..8],
            &data[8..],
        );
        let entry = entry("ana@example.org", mail.as_bytes());
        assert_eq!(entry.subject.as_deref(), Some("مرحبا"));
        assert_eq!(entry.text.trim_end(), "قراءة");
        assert_eq!(entry.html.as_deref().map(str::trim_end), Some("<p>hi</p>"));
        assert_eq!(entry.data["code"], "42");
        assert_eq!(entry.headers["X-Long"], "a b");
        assert!(!entry.headers.contains_key(DATA_HEADER));
    }
}
