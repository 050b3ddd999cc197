//! Prices: integers of minor units with an ISO 4217 currency.

/// The highest price, in minor units: far above any reading, far below where sums overflow.
pub const MAX_PRICE: i64 = 100_000_000_000;

/// Whether `code` is an ISO 4217 currency.
pub fn is_currency(code: &str) -> bool {
    code.bytes().all(|b| b.is_ascii_uppercase()) && iso_currency::Currency::from_code(code).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn currencies_are_those_of_iso_4217() {
        for code in ["USD", "EUR", "SAR", "KWD", "JPY"] {
            assert!(is_currency(code), "{code}");
        }
        for code in ["usd", "XXZ", "", "US", "USDT"] {
            assert!(!is_currency(code), "{code}");
        }
    }
}
