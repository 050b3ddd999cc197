//! What a server's negative reply means for a message.

use crate::channels::Class;
use crate::channels::attempt::Failure;

/// How far a message had got.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    /// Connecting, greeting, TLS, signing in.
    Session,
    /// `MAIL FROM`, and `DATA` before a byte of the message.
    Envelope,
    /// `RCPT TO`.
    Recipient,
    /// The message itself. Without a reply nobody knows whether it was taken.
    Message,
}

/// The failure that `reply` (code and text) at `stage` is.
pub(super) fn refusal(stage: Stage, code: u16, text: &str) -> Failure {
    let words = format!("{code} {text}");
    let detail = enhanced(text);
    // Whoever does not let us in or hangs up has judged us, not the message.
    let misunderstood = stage != Stage::Recipient && (500..=504).contains(&code);
    let signed_out = matches!(code, 530 | 534 | 535 | 538);
    if stage == Stage::Session || code == 421 || misunderstood || signed_out {
        let class = if code == 421 {
            Class::Throttled
        } else {
            Class::Transient
        };
        return Failure::of_provider(class, words);
    }
    let class = if code < 500 {
        later(code, detail)
    } else if is_bad_address(stage, code, detail) {
        Class::BadAddress
    } else {
        Class::Permanent
    };
    // A refusal that names nobody in particular is about the whole server.
    let unwell = code < 500 && stage != Stage::Recipient && !matches!(detail, Some((4, 2 | 7, _)));
    if unwell {
        Failure::of_provider(class, words)
    } else {
        Failure::of_message(class, words)
    }
}

/// RFC 3463: `4.3.2` at the start of a reply's text is (4, 3, 2).
fn enhanced(text: &str) -> Option<(u16, u16, u16)> {
    let mut parts = text.split_whitespace().next()?.split('.').map(str::parse);
    match (parts.next()?, parts.next()?, parts.next()?, parts.next()) {
        (Ok(class), Ok(subject), Ok(detail), None) => Some((class, subject, detail)),
        _ => None,
    }
}

/// Too much at once, or something that passes by itself.
fn later(code: u16, detail: Option<(u16, u16, u16)>) -> Class {
    match detail {
        // System not accepting messages, too many recipients, policy (rate limits, greylisting).
        Some((4, 3, 2) | (4, 5, 3) | (4, 7, _)) => Class::Throttled,
        None if matches!(code, 450..=452) => Class::Throttled,
        _ => Class::Transient,
    }
}

fn is_bad_address(stage: Stage, code: u16, detail: Option<(u16, u16, u16)>) -> bool {
    match detail {
        // 5.1.7 and 5.1.8 speak of the sender's address.
        Some((5, 1, 7 | 8)) => false,
        // Mailbox disabled.
        Some((5, 1, _) | (5, 2, 1)) => true,
        // RFC 7504: the domain takes no mail.
        _ if matches!(code, 521 | 556) => stage == Stage::Recipient,
        // Without a word why, a refused recipient is an unknown one.
        None => stage == Stage::Recipient && matches!(code, 550 | 551 | 553),
        Some(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn replies_fall_into_their_classes() {
        use Class::{BadAddress, Permanent, Throttled, Transient};
        let table = [
            (Stage::Session, 535, "5.7.8 credentials invalid", Transient, true),
            (Stage::Session, 554, "no service for you", Transient, true),
            (Stage::Session, 421, "4.7.0 too many connections", Throttled, true),
            (Stage::Envelope, 421, "closing", Throttled, true),
            (Stage::Envelope, 451, "4.3.0 local error", Transient, true),
            (Stage::Envelope, 452, "4.3.1 disk full", Transient, true),
            (Stage::Envelope, 452, "busy", Throttled, true),
            (Stage::Envelope, 450, "4.7.1 rate limited", Throttled, false),
            (
                Stage::Envelope,
                553,
                "5.1.8 sender's domain unknown",
                Permanent,
                false,
            ),
            (Stage::Envelope, 530, "5.7.0 sign in first", Transient, true),
            (Stage::Envelope, 503, "bad sequence", Transient, true),
            (Stage::Recipient, 450, "4.7.1 greylisted", Throttled, false),
            (Stage::Recipient, 450, "mailbox busy", Throttled, false),
            (Stage::Recipient, 452, "4.2.2 over quota", Transient, false),
            (Stage::Recipient, 550, "5.1.1 no such user", BadAddress, false),
            (Stage::Recipient, 550, "no such user", BadAddress, false),
            (Stage::Recipient, 501, "5.1.3 no such syntax", BadAddress, false),
            (Stage::Recipient, 550, "5.7.1 blocked by policy", Permanent, false),
            (Stage::Recipient, 550, "5.2.1 disabled", BadAddress, false),
            (Stage::Recipient, 552, "5.2.2 full", Permanent, false),
            (Stage::Recipient, 556, "5.1.10 null MX", BadAddress, false),
            (Stage::Message, 554, "5.6.0 looks like spam", Permanent, false),
            (Stage::Message, 550, "content rejected", Permanent, false),
            (Stage::Message, 451, "4.3.2 later", Throttled, true),
        ];
        for (stage, code, text, class, unwell) in table {
            let failure = refusal(stage, code, text);
            assert_eq!(
                (failure.class, failure.unwell),
                (class, unwell),
                "{stage:?} {code} {text}"
            );
        }
    }
}
