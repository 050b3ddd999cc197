//! A message as a mail.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use lettre::message::header::{HeaderName, HeaderValue};
use lettre::message::{Mailbox, MultiPart, SinglePart};
use lettre::{Address, Message};
use serde_json::Value;
use url::Url;

use crate::channels::Outgoing;
use crate::domain::Priority;

/// What a mail was made from, base64 of JSON. Only the development sink is told.
pub(crate) const DATA_HEADER: &str = "X-Parlour-Data";

/// Who mails are from.
#[derive(Clone, Debug)]
pub(super) struct Sender {
    pub(super) from: Mailbox,
    pub(super) reply_to: Option<Mailbox>,
}

impl Sender {
    /// Writes the mail. The same delivery has the same `Message-ID` whenever and through
    /// whomever it is sent, so that a mailbox can see a copy for what it is.
    pub(super) fn write(
        &self,
        message: &Outgoing,
        to: Address,
        data: Option<&Value>,
    ) -> Result<Message, lettre::error::Error> {
        let id = format!("<{}@{}>", message.delivery_id, self.from.email.domain());
        let mut mail = Message::builder()
            .from(self.from.clone())
            .to(Mailbox::new(None, to))
            .subject(one_line(&message.content.subject))
            .message_id(Some(id))
            .date_now()
            // RFC 3834: out-of-office replies and the like stay away.
            .raw_header(header("Auto-Submitted", "auto-generated"));
        if let Some(reply_to) = &self.reply_to {
            mail = mail.reply_to(reply_to.clone());
        }
        if message.priority >= Priority::High {
            mail = mail.raw_header(header("Importance", "high"));
        }
        if let Some(url) = message.content.unsubscribe.as_deref().and_then(unsubscribable) {
            // RFC 2369: a page to go to. That a POST to it alone is enough (RFC 8058) is not said,
            // because it is not so (decision 0306).
            mail = mail.raw_header(header("List-Unsubscribe", &format!("<{url}>")));
        }
        if let Some(data) = data {
            mail = mail.raw_header(folded(&STANDARD.encode(data.to_string())));
        }
        let text = message.content.text.clone();
        match &message.content.html {
            Some(html) => mail.multipart(MultiPart::alternative_plain_html(text, html.clone())),
            None => mail.singlepart(SinglePart::plain(text)),
        }
    }
}

fn header(name: &'static str, value: &str) -> HeaderValue {
    HeaderValue::new(HeaderName::new_from_ascii_str(name), value.to_owned())
}

fn one_line(subject: &str) -> String {
    subject
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect()
}

/// A URL's own spelling has no character that could end a header.
fn unsubscribable(url: &str) -> Option<Url> {
    Url::parse(url)
        .ok()
        .filter(|url| matches!(url.scheme(), "https" | "http" | "mailto"))
}

/// Base64 has no blank to fold at, and a line may not exceed 998 characters.
fn folded(base64: &str) -> HeaderValue {
    let mut lines = String::with_capacity(base64.len() + base64.len() / 20);
    for (at, c) in base64.chars().enumerate() {
        if at > 0 && at % 72 == 0 {
            lines.push_str("\r\n ");
        }
        lines.push(c);
    }
    let name = HeaderName::new_from_ascii_str(DATA_HEADER);
    HeaderValue::dangerous_new_pre_encoded(name, base64.to_owned(), lines)
}
