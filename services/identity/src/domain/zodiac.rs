//! The twelve signs of the tropical zodiac, by their usual calendar dates.

use chrono::{Datelike as _, NaiveDate};

/// One sign.
#[derive(Debug, PartialEq, Eq)]
pub struct Sign {
    /// Key, such as `aries`.
    pub key: &'static str,
    /// English name.
    pub name: &'static str,
    /// Arabic name.
    pub name_ar: &'static str,
    /// First day: month and day.
    pub from: (u32, u32),
    /// Last day: month and day.
    pub to: (u32, u32),
}

macro_rules! signs {
    ($($key:literal $name:literal $ar:literal $from:expr, $to:expr;)*) => {
        /// All signs, from Aries on.
        pub const SIGNS: [Sign; 12] = [$(Sign { key: $key, name: $name, name_ar: $ar, from: $from, to: $to }),*];
    };
}

signs! {
    "aries" "Aries" "الحمل" (3, 21), (4, 19);
    "taurus" "Taurus" "الثور" (4, 20), (5, 20);
    "gemini" "Gemini" "الجوزاء" (5, 21), (6, 20);
    "cancer" "Cancer" "السرطان" (6, 21), (7, 22);
    "leo" "Leo" "الأسد" (7, 23), (8, 22);
    "virgo" "Virgo" "العذراء" (8, 23), (9, 22);
    "libra" "Libra" "الميزان" (9, 23), (10, 22);
    "scorpio" "Scorpio" "العقرب" (10, 23), (11, 21);
    "sagittarius" "Sagittarius" "القوس" (11, 22), (12, 21);
    "capricorn" "Capricorn" "الجدي" (12, 22), (1, 19);
    "aquarius" "Aquarius" "الدلو" (1, 20), (2, 18);
    "pisces" "Pisces" "الحوت" (2, 19), (3, 20);
}

/// The sign of a date of birth.
pub fn of(date: NaiveDate) -> Option<&'static Sign> {
    let day = (date.month(), date.day());
    SIGNS.iter().find(|sign| {
        if sign.from <= sign.to {
            sign.from <= day && day <= sign.to
        } else {
            sign.from <= day || day <= sign.to
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_day_of_a_leap_year_has_one_sign() {
        let start = NaiveDate::from_ymd_opt(2024, 1, 1).unwrap();
        for date in start.iter_days().take(366) {
            let day = (date.month(), date.day());
            let count = SIGNS
                .iter()
                .filter(|s| {
                    let (begun, not_over) = (s.from <= day, day <= s.to);
                    if s.from <= s.to {
                        begun && not_over
                    } else {
                        begun || not_over
                    }
                })
                .count();
            assert_eq!(count, 1, "{date}");
            assert!(of(date).is_some());
        }
        assert_eq!(
            of(NaiveDate::from_ymd_opt(1990, 1, 1).unwrap()).unwrap().key,
            "capricorn"
        );
        assert_eq!(
            of(NaiveDate::from_ymd_opt(1990, 3, 21).unwrap()).unwrap().key,
            "aries"
        );
    }
}
