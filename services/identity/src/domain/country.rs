//! The countries of ISO 3166-1, from `data/countries.csv`, which names its source.

use std::sync::LazyLock;

/// One country.
#[derive(Debug)]
pub struct Country {
    /// ISO 3166-1 alpha-2.
    pub alpha2: &'static str,
    /// ISO 3166-1 alpha-3.
    pub alpha3: &'static str,
    /// E.164 country code, without the plus sign.
    pub dial_code: &'static str,
    /// English name.
    pub name: &'static str,
    /// Arabic name.
    pub name_ar: &'static str,
}

static ALL: LazyLock<Vec<Country>> = LazyLock::new(|| {
    include_str!("../../data/countries.csv")
        .lines()
        .filter_map(read)
        .collect()
});

fn read(line: &'static str) -> Option<Country> {
    let mut fields = line.split(';');
    let country = Country {
        alpha2: fields.next()?,
        alpha3: fields.next()?,
        dial_code: fields.next()?,
        name: fields.next()?,
        name_ar: fields.next()?,
    };
    // Neither the comment nor the heading.
    (country.alpha2.len() == 2).then_some(country)
}

/// All countries, by alpha-2 code.
pub fn all() -> &'static [Country] {
    &ALL
}

/// Whether `code` is the alpha-2 code of a country.
pub fn is_known(code: &str) -> bool {
    ALL.binary_search_by_key(&code, |country| country.alpha2).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_country_is_complete() {
        assert_eq!(all().len(), 249);
        for country in all() {
            assert!(country.alpha2.bytes().all(|b| b.is_ascii_uppercase()));
            assert_eq!(country.alpha3.len(), 3);
            assert!((1..=3).contains(&country.dial_code.len()), "{}", country.alpha2);
            assert!(!country.name.is_empty() && !country.name_ar.is_empty());
            assert!(is_known(country.alpha2));
        }
        assert!(!is_known("XX") && !is_known("sa"));
    }
}
