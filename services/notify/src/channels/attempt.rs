//! What a single provider answers, before it is decided who is asked next.

use std::time::Duration;

use chrono::{DateTime, Utc};

use super::Class;

const DAY: Duration = Duration::from_hours(24);

/// Characters of a provider's words that are kept.
const WORDS: usize = 300;

/// One provider's refusal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Failure {
    pub(super) class: Class,
    /// Whether it says something about the provider rather than about this one message:
    /// only then does it count for the circuit breaker.
    pub(super) unwell: bool,
    pub(super) words: String,
    pub(super) retry_after: Option<Duration>,
}

impl Failure {
    /// A refusal of this message, by a provider that works.
    pub(super) fn of_message(class: Class, words: impl Into<String>) -> Self {
        Self {
            class,
            unwell: false,
            words: words.into(),
            retry_after: None,
        }
    }

    /// The provider cannot be used now: it is away, overrun, or does not accept us. The
    /// message itself was not judged.
    pub(super) fn of_provider(class: Class, words: impl Into<String>) -> Self {
        Self {
            unwell: true,
            ..Self::of_message(class, words)
        }
    }

    pub(super) fn timed_out() -> Self {
        Self::of_provider(Class::Transient, "no answer in time")
    }

    pub(super) fn after(mut self, wait: Option<Duration>) -> Self {
        self.retry_after = wait;
        self
    }

    /// Takes `private` (an address) out of the provider's words, which like to repeat it,
    /// and keeps them printable and short.
    pub(super) fn discreet(mut self, private: &str) -> Self {
        self.words = discreet(&self.words, private);
        self
    }
}

fn discreet(words: &str, private: &str) -> String {
    let plain: String = words
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    let mut hidden = hide(&plain, private);
    if let Some(number) = private.strip_prefix('+') {
        hidden = hide(&hidden, number);
    }
    hidden.chars().take(WORDS).collect()
}

/// Replaces every occurrence, however it is capitalised. ASCII case only, so that offsets agree.
fn hide(text: &str, private: &str) -> String {
    if private.is_empty() {
        return text.to_owned();
    }
    let (lower, needle) = (text.to_ascii_lowercase(), private.to_ascii_lowercase());
    let (mut shown, mut from) = (String::with_capacity(text.len()), 0);
    for (at, found) in lower.match_indices(&needle) {
        shown.push_str(text.get(from..at).unwrap_or_default());
        shown.push_str("[address]");
        from = at + found.len();
    }
    shown.push_str(text.get(from..).unwrap_or_default());
    shown
}

/// A `Retry-After`: seconds, or a date in any of HTTP's three forms. A date that has
/// passed is no wait at all, and nobody is waited for longer than a day.
pub(super) fn retry_after(value: &str, now: DateTime<Utc>) -> Option<Duration> {
    let value = value.trim();
    if let Ok(seconds) = value.parse::<u32>() {
        return Some(Duration::from_secs(seconds.into()).min(DAY));
    }
    let at: DateTime<Utc> = httpdate::parse_http_date(value).ok()?.into();
    Some((at - now).to_std().unwrap_or_default().min(DAY))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_keep_the_address_to_themselves() {
        let failure = Failure::of_message(
            Class::BadAddress,
            "5.1.1 <Ana@Example.org>: unknown\r\nana@example.org",
        );
        assert_eq!(
            failure.discreet("ana@example.org").words,
            "5.1.1 <[address]>: unknown  [address]"
        );
        let failure = Failure::of_message(Class::BadAddress, "'To' number 46701740605 or +46701740605");
        assert_eq!(
            failure.discreet("+46701740605").words,
            "'To' number [address] or [address]"
        );
        assert_eq!(
            Failure::of_message(Class::Permanent, "é".repeat(900))
                .discreet("")
                .words
                .chars()
                .count(),
            300
        );
    }

    #[test]
    fn retry_after_in_seconds_and_as_a_date() {
        let now = DateTime::parse_from_rfc3339("1994-11-06T08:49:00Z")
            .unwrap()
            .to_utc();
        let wait = |text| retry_after(text, now).map(|wait| wait.as_secs());
        assert_eq!(wait("120"), Some(120));
        assert_eq!(wait(" Sun, 06 Nov 1994 08:49:37 GMT"), Some(37));
        assert_eq!(wait("Sunday, 06-Nov-94 08:49:37 GMT"), Some(37));
        assert_eq!(wait("Sun Nov  6 08:49:37 1994"), Some(37));
        assert_eq!(wait("Sat, 05 Nov 1994 08:49:37 GMT"), Some(0));
        assert_eq!(wait("4294967295"), Some(86_400));
        assert_eq!(wait("Fri, 31 Dec 9999 23:59:59 GMT"), Some(86_400));
        assert_eq!(wait("soon"), None);
        assert_eq!(wait("-3"), None);
    }
}
