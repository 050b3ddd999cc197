//! What people call an order.

/// `R-000042`; more digits where six are not enough.
pub fn shown(number: i64) -> String {
    format!("R-{number:06}")
}

/// The number in `R-000042`, `r-42` or `42`.
pub fn parse(text: &str) -> Option<i64> {
    let text = text.trim();
    let digits = text.strip_prefix("R-").or_else(|| text.strip_prefix("r-"));
    let digits = digits.unwrap_or(text);
    let fine = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
    fine.then(|| digits.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_number_comes_back(number in 0i64..) {
            prop_assert_eq!(parse(&shown(number)), Some(number));
        }
    }

    #[test]
    fn short_forms_are_read_and_rubbish_is_not() {
        assert_eq!(shown(42), "R-000042");
        assert_eq!((parse(" r-42 "), parse("42")), (Some(42), Some(42)));
        assert_eq!(
            (
                parse("R-"),
                parse("-42"),
                parse("R-4x"),
                parse("99999999999999999999")
            ),
            (None, None, None, None)
        );
    }
}
