//! Text that people see of each other.

/// Whether every character may stand in a name: no control characters, and none
/// that turn the direction of what follows (a name must not rewrite the line it stands in).
pub fn is_plain(text: &str) -> bool {
    !text.chars().any(|c| {
        c.is_control()
            || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200e}' | '\u{200f}' | '\u{feff}')
    })
}

/// Like [`is_plain`], with line breaks and tabs.
pub fn is_plain_paragraph(text: &str) -> bool {
    is_plain(&text.replace(['\n', '\r', '\t'], " "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn direction_is_not_turned() {
        assert!(is_plain("أمل 🌙 O'Brien"));
        assert!(!is_plain("abc\u{202e}cba"));
        assert!(!is_plain("a\nb"));
        assert!(is_plain_paragraph("a\nb"));
    }
}
