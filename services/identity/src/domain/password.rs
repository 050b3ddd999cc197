//! What a password must be.

use zxcvbn::matching::patterns::MatchPattern;
use zxcvbn::zxcvbn;

/// Fewest characters.
pub const MIN: usize = 8;
/// Most characters.
pub const MAX: usize = 128;

/// What is wrong with `password`, if anything. `names` are the e-mail address,
/// its local part and the username: a password must not contain them.
pub fn problem(password: &str, names: &[&str]) -> Option<&'static str> {
    let length = password.chars().count();
    if length < MIN {
        return Some("must have at least 8 characters");
    }
    if length > MAX {
        return Some("must have at most 128 characters");
    }
    let lower = password.to_lowercase();
    let contained = |name: &&str| name.chars().count() >= 4 && lower.contains(&name.to_lowercase());
    if names.iter().any(contained) {
        return Some("must not contain your e-mail address or username");
    }
    is_common(password).then_some("is one of the most common passwords; choose another")
}

/// Whether the whole password stands in zxcvbn's list of the most common ones
/// (compiled from leaked passwords).
fn is_common(password: &str) -> bool {
    // Longer ones are not in the list, and the analysis costs more the longer they are.
    if password.chars().count() > 32 {
        return false;
    }
    let estimate = zxcvbn(password, &[]);
    match estimate.sequence() {
        [only] => matches!(&only.pattern, MatchPattern::Dictionary(found)
            if !found.l33t && !found.reversed && only.token.len() == password.len()),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn common_and_personal_passwords_are_refused() {
        assert!(problem("password1", &[]).is_some());
        assert!(problem("iloveyou", &[]).is_some());
        assert!(problem("short", &[]).is_some());
        assert!(problem(&"x".repeat(129), &[]).is_some());
        assert!(problem("hello-ana.lund", &["ana.lund@example.org", "ana.lund"]).is_some());
        assert_eq!(problem("correct horse battery", &["ana"]), None);
        assert_eq!(problem("Str0ng!Passw0rd", &[]), None);
        assert_eq!(problem("كلمة-سر-طويلة", &[]), None);
    }
}
