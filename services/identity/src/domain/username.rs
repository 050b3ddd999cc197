//! Usernames: one person, one name, however it is spelt.

use unicode_normalization::UnicodeNormalization as _;
use unicode_security::skeleton;

/// The key by which usernames are unique: compatibility forms folded (NFKC),
/// lower case, confusable letters folded (Unicode TR 39's skeleton). `None` when
/// the text is no username: 3 to 32 letters, digits, `.`, `_` or `-`.
pub fn key(username: &str) -> Option<String> {
    let length = username.chars().count();
    let fine = (3..=32).contains(&length)
        && username.chars().all(|c| c.is_alphanumeric() || "._-".contains(c))
        && username.chars().any(char::is_alphanumeric);
    if !fine {
        return None;
    }
    let folded: String = username.nfkc().flat_map(char::to_lowercase).collect();
    Some(skeleton(&folded).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn look_alikes_are_the_same_name() {
        let plain = key("paypal").unwrap();
        // Cyrillic а and р, full width, upper case.
        for other in ["PayPal", "pаypаl", "рaypal", "ｐａｙｐａｌ"] {
            assert_eq!(key(other).as_deref(), Some(plain.as_str()), "{other}");
        }
        assert_ne!(key("paypal2"), key("paypal"));
    }

    #[test]
    fn rubbish_is_no_name() {
        for wrong in [
            "",
            "ab",
            "a b c",
            "a\0bc",
            "ab\u{202e}c",
            "...",
            &"x".repeat(33),
            "a@b",
        ] {
            assert_eq!(key(wrong), None, "{wrong:?}");
        }
        assert!(key("نور_1").is_some());
    }
}
