//! Whether what the client knows is still true (RFC 9110, section 13).

use std::time::SystemTime;

/// The headers of a conditional request, as they were sent.
#[derive(Clone, Copy, Debug, Default)]
#[expect(missing_docs, reason = "the names say it")]
pub struct Conditions<'h> {
    pub if_match: Option<&'h str>,
    pub if_none_match: Option<&'h str>,
    pub if_modified_since: Option<&'h str>,
    pub if_unmodified_since: Option<&'h str>,
    pub if_range: Option<&'h str>,
}

/// What to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Send it; the ranges too, if `true`.
    Send(bool),
    /// 304: the client has it.
    NotModified,
    /// 412: the client meant another one.
    Failed,
}

/// What there is.
#[derive(Clone, Copy, Debug)]
pub struct Present<'p> {
    /// Its strong tag, with the quotes.
    pub tag: &'p str,
    /// When it was last changed, to the second.
    pub modified: SystemTime,
}

impl Conditions<'_> {
    /// Judges in the order of RFC 9110, section 13.2.2.
    pub fn judge(&self, present: Present<'_>) -> Verdict {
        match (self.if_match, self.if_unmodified_since.and_then(date)) {
            (Some(tags), _) if !lists(tags, present.tag, false) => return Verdict::Failed,
            (None, Some(since)) if present.modified > since => return Verdict::Failed,
            _ => {}
        }
        match (self.if_none_match, self.if_modified_since.and_then(date)) {
            (Some(tags), _) if lists(tags, present.tag, true) => return Verdict::NotModified,
            (None, Some(since)) if present.modified <= since => return Verdict::NotModified,
            _ => {}
        }
        Verdict::Send(self.if_range.is_none_or(|known| is_same(known, present)))
    }
}

/// `If-Range`: the very tag, or the very date.
fn is_same(known: &str, present: Present<'_>) -> bool {
    if known.ends_with('"') {
        return known == present.tag;
    }
    date(known) == Some(present.modified)
}

fn date(text: &str) -> Option<SystemTime> {
    httpdate::parse_http_date(text).ok()
}

/// Whether a list of tags has this one. A weak tag is the same as the strong one where the
/// comparison is weak.
fn lists(list: &str, tag: &str, weak: bool) -> bool {
    let list = list.trim();
    if list == "*" {
        return true;
    }
    // Our tags have no commas.
    list.split(',').map(str::trim).any(|one| {
        let bare = if weak {
            one.strip_prefix("W/").unwrap_or(one)
        } else {
            one
        };
        bare == tag
    })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const TAG: &str = "\"abc\"";
    const THEN: &str = "Sun, 06 Nov 1994 08:49:37 GMT";
    const BEFORE: &str = "Sun, 06 Nov 1994 08:49:36 GMT";
    const AFTER: &str = "Sun, 06 Nov 1994 08:49:38 GMT";

    fn judge(conditions: Conditions<'_>) -> Verdict {
        let modified = SystemTime::UNIX_EPOCH + Duration::from_secs(784_111_777);
        conditions.judge(Present { tag: TAG, modified })
    }

    #[test]
    fn what_the_client_has_is_not_sent() {
        let none = |if_none_match| {
            judge(Conditions {
                if_none_match: Some(if_none_match),
                ..Conditions::default()
            })
        };
        for same in [TAG, "*", "\"x\", \"abc\"", "W/\"abc\""] {
            assert_eq!(none(same), Verdict::NotModified, "{same}");
        }
        assert_eq!(none("\"x\""), Verdict::Send(true));
        let since = |date| {
            judge(Conditions {
                if_modified_since: Some(date),
                ..Conditions::default()
            })
        };
        assert_eq!(
            (since(THEN), since(AFTER)),
            (Verdict::NotModified, Verdict::NotModified)
        );
        assert_eq!(
            (since(BEFORE), since("yesterday")),
            (Verdict::Send(true), Verdict::Send(true))
        );
        let both = Conditions {
            if_none_match: Some("\"x\""),
            if_modified_since: Some(AFTER),
            ..Conditions::default()
        };
        assert_eq!(judge(both), Verdict::Send(true), "the tag counts");
    }

    #[test]
    fn what_the_client_did_not_mean_is_not_sent() {
        let only = |if_match| {
            judge(Conditions {
                if_match: Some(if_match),
                ..Conditions::default()
            })
        };
        assert_eq!(
            (only("\"x\""), only("W/\"abc\"")),
            (Verdict::Failed, Verdict::Failed)
        );
        assert_eq!((only(TAG), only("*")), (Verdict::Send(true), Verdict::Send(true)));
        let since = |date| {
            judge(Conditions {
                if_unmodified_since: Some(date),
                ..Conditions::default()
            })
        };
        assert_eq!(
            (since(BEFORE), since(THEN)),
            (Verdict::Failed, Verdict::Send(true))
        );
    }

    #[test]
    fn a_range_of_another_version_is_the_whole() {
        let range = |if_range| {
            judge(Conditions {
                if_range: Some(if_range),
                ..Conditions::default()
            })
        };
        assert_eq!(
            (range(TAG), range(THEN)),
            (Verdict::Send(true), Verdict::Send(true))
        );
        for other in ["\"x\"", "W/\"abc\"", AFTER, BEFORE, "rubbish"] {
            assert_eq!(range(other), Verdict::Send(false), "{other}");
        }
    }
}
