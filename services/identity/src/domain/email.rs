//! E-mail addresses.

/// The address as it is looked up: trimmed and in lower case. No provider in use
/// tells local parts apart by case, and people do not either. `None` when it is
/// no address that a mail can be sent to (RFC 5321's lengths, one `@`, a dotted domain).
pub fn normalise(address: &str) -> Option<String> {
    let address = address.trim().to_lowercase();
    let (local, domain) = address.rsplit_once('@')?;
    let fine = (1..=64).contains(&local.len())
        && (3..=255).contains(&domain.len())
        && address.len() <= 254
        && local.chars().all(is_local)
        && !local.starts_with('.')
        && !local.ends_with('.')
        && !local.contains("..")
        && domain.contains('.')
        && domain.split('.').all(is_label);
    fine.then_some(address)
}

fn is_local(c: char) -> bool {
    (c.is_alphanumeric() && !c.is_control()) || "!#$%&'*+-/=?^_`{|}~.".contains(c)
}

fn is_label(label: &str) -> bool {
    (1..=63).contains(&label.len())
        && !label.starts_with('-')
        && !label.ends_with('-')
        && label.chars().all(|c| c.is_alphanumeric() || c == '-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_told_from_rubbish() {
        assert_eq!(normalise(" Ana@Example.ORG ").as_deref(), Some("ana@example.org"));
        assert!(normalise("münchen@straße.example").is_some());
        for wrong in [
            "",
            "a",
            "@b.c",
            "a@",
            "a@b",
            "a b@c.de",
            "a@b..c",
            ".a@b.cd",
            "a..b@c.de",
            "a@-b.cd",
            "a@b.c\u{202e}d",
            "a\0@b.cd",
            "a@b.cd\r\nBcc: x@y.zz",
        ] {
            assert_eq!(normalise(wrong), None, "{wrong:?}");
        }
    }
}
