//! What may be said.

/// The most characters of a message.
pub const MOST_CHARACTERS: usize = 4000;
/// The most characters of a sender's own id for a message.
pub const MOST_CLIENT_ID: usize = 64;
/// The most bytes of a message's or a conversation's metadata as JSON.
pub const MOST_METADATA: usize = 16 * 1024;
/// The most characters of a reaction.
pub const MOST_REACTION: usize = 32;

/// What is wrong with a text as a message, if anything is.
pub fn problem(text: &str) -> Option<&'static str> {
    if text.contains('\0') {
        return Some("must not have null characters");
    }
    // Bytes first: counting a text of a megabyte is not worth it.
    let fits = text.len() <= 4 * MOST_CHARACTERS && text.chars().count() <= MOST_CHARACTERS;
    if text.trim().is_empty() || !fits {
        return Some("must have 1 to 4000 characters");
    }
    None
}

/// What is wrong with a sender's own id for a message, if anything is.
pub fn client_id_problem(text: &str) -> Option<&'static str> {
    let fine = (1..=MOST_CLIENT_ID).contains(&text.chars().count()) && !text.contains('\0');
    (!fine).then_some("must have 1 to 64 characters")
}

/// What is wrong with a reaction, if anything is.
pub fn reaction_problem(text: &str) -> Option<&'static str> {
    let length = text.chars().count();
    let plain = !text.chars().any(|c| c.is_control() || c.is_whitespace());
    (!plain || length == 0 || length > MOST_REACTION).then_some("must have 1 to 32 characters without spaces")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn characters_count_and_not_bytes() {
        assert_eq!(problem("سلام 🌙"), None);
        assert_eq!(problem(&"🌙".repeat(4000)), None);
        assert!(problem(&"🌙".repeat(4001)).is_some());
        assert!(problem(&"x".repeat(4001)).is_some());
        for wrong in ["", "  \n", "a\0b"] {
            assert!(problem(wrong).is_some(), "{wrong:?}");
        }
    }

    #[test]
    fn ids_and_reactions_are_short() {
        assert!(client_id_problem("").is_some() && client_id_problem(&"x".repeat(65)).is_some());
        assert_eq!(client_id_problem(&"é".repeat(64)), None);
        assert!(reaction_problem("a b").is_some() && reaction_problem(&"x".repeat(33)).is_some());
        assert_eq!(reaction_problem("👩‍👩‍👧‍👦"), None);
    }

    proptest! {
        #[test]
        fn nothing_panics_and_what_is_fine_has_a_length(text: String) {
            if problem(&text).is_none() {
                prop_assert!((1..=MOST_CHARACTERS).contains(&text.chars().count()));
            }
        }
    }
}
