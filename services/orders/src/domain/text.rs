//! Text that people write for each other.

/// Whether every character may stand in a line: no control characters, and none
/// that turn the direction of what follows.
pub fn is_plain(text: &str) -> bool {
    !text.chars().any(|c| {
        c.is_control() || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
    })
}

/// Whether there is anything to read in it.
pub fn says_something(text: &str) -> bool {
    text.chars().any(|c| !c.is_whitespace() && !c.is_control())
}

/// A kind of service or speciality: lower case, digits, `_` and `-`.
pub fn is_kind(text: &str) -> bool {
    (1..=40).contains(&text.len())
        && text.starts_with(|c: char| c.is_ascii_lowercase())
        && text
            .chars()
            .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_' || c == '-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_and_kinds() {
        assert!(is_plain("قراءة 🔮 O'Brien"));
        assert!(!is_plain("a\nb") && !is_plain("abc\u{202e}cba"));
        assert!(says_something(" . ") && !says_something(" \t\n"));
        assert!(is_kind("tarot") && is_kind("long_distance-2"));
        assert!(!is_kind("") && !is_kind("Tarot") && !is_kind("2nd") && !is_kind("a b"));
    }
}
