//! Amounts, as people read them.

/// Currencies whose minor unit is not a hundredth (ISO 4217).
const DIGITS: [(&str, u32); 23] = [
    ("BHD", 3),
    ("IQD", 3),
    ("JOD", 3),
    ("KWD", 3),
    ("LYD", 3),
    ("OMR", 3),
    ("TND", 3),
    ("BIF", 0),
    ("CLP", 0),
    ("DJF", 0),
    ("GNF", 0),
    ("ISK", 0),
    ("JPY", 0),
    ("KMF", 0),
    ("KRW", 0),
    ("PYG", 0),
    ("RWF", 0),
    ("UGX", 0),
    ("VND", 0),
    ("VUV", 0),
    ("XAF", 0),
    ("XOF", 0),
    ("XPF", 0),
];

/// Such as `19.50 EUR`.
pub fn told(minor: i64, currency: &str) -> String {
    let digits = DIGITS
        .iter()
        .find(|(code, _)| *code == currency)
        .map_or(2, |(_, digits)| *digits);
    let sign = if minor < 0 { "-" } else { "" };
    let unit = 10_u64.pow(digits);
    let (whole, part) = (minor.unsigned_abs() / unit, minor.unsigned_abs() % unit);
    if digits == 0 {
        return format!("{sign}{whole} {currency}");
    }
    let width = digits as usize;
    format!("{sign}{whole}.{part:0width$} {currency}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn minor_units_are_those_of_the_currency() {
        assert_eq!(told(1950, "EUR"), "19.50 EUR");
        assert_eq!(told(-5, "SAR"), "-0.05 SAR");
        assert_eq!(told(1950, "KWD"), "1.950 KWD");
        assert_eq!(told(1950, "JPY"), "1950 JPY");
        assert_eq!(told(i64::MIN, "USD"), "-92233720368547758.08 USD");
    }
}
