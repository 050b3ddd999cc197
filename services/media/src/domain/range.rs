//! Which bytes a `Range` header asks for (RFC 9110, section 14), decided as nginx decides:
//! ranges are answered in the order in which they are asked for; more bytes than there are,
//! or too many ranges, get the whole; what is damaged or beyond the end gets nothing.

use std::ops::Range;

/// The most ranges that are answered one by one.
pub const MOST: usize = 32;

/// What to send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// Everything.
    Whole,
    /// These bytes: one range or several.
    Parts(Vec<Range<u64>>),
    /// Nothing: 416.
    Nothing,
}

/// What `header` asks for of `size` bytes.
pub fn wanted(header: &str, size: u64) -> Wanted {
    let ranges = match header.split_at_checked("bytes=".len()) {
        Some((unit, ranges)) if unit.eq_ignore_ascii_case("bytes=") => ranges,
        // Another unit, or none.
        _ => return Wanted::Whole,
    };
    if ranges.is_empty() {
        return Wanted::Whole;
    }
    let mut parts: Vec<Range<u64>> = Vec::new();
    let mut sum: u64 = 0;
    for text in ranges.split(',') {
        let Some(range) = one(text, size) else {
            return Wanted::Nothing;
        };
        if range.start >= range.end {
            if range.start == 0 {
                return Wanted::Whole;
            }
            continue;
        }
        if parts.len() == MOST {
            return Wanted::Whole;
        }
        sum = sum.saturating_add(range.end - range.start);
        parts.push(range);
    }
    if parts.is_empty() {
        Wanted::Nothing
    } else if sum > size {
        Wanted::Whole
    } else {
        Wanted::Parts(parts)
    }
}

/// One range, which may be empty; `None` when it is damaged.
fn one(text: &str, size: u64) -> Option<Range<u64>> {
    let (first, last) = text.split_once('-')?;
    let first = first.trim_matches(' ');
    if first.is_empty() {
        let suffix = number(last.trim_end_matches(' '))?;
        // nginx takes a suffix of nothing for a range behind the end.
        return Some(size.saturating_sub(suffix)..size);
    }
    let (start, last) = (number(first)?, last.trim_matches(' '));
    let end = if last.is_empty() {
        size
    } else {
        number(last)?.saturating_add(1).min(size)
    };
    Some(start..end)
}

/// Digits alone, of a number that there can be.
fn number(text: &str) -> Option<u64> {
    let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let number: i64 = text.parse().ok().filter(|_| digits)?;
    u64::try_from(number).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn parts(list: &[Range<u64>]) -> Wanted {
        Wanted::Parts(list.to_vec())
    }

    #[test]
    #[expect(clippy::single_range_in_vec_init, reason = "one range is meant")]
    fn ranges_are_read() {
        for (header, expected) in [
            ("bytes=0-0", parts(&[0..1])),
            ("bytes=0-", parts(&[0..10])),
            ("Bytes=2-4", parts(&[2..5])),
            ("bytes=8-99", parts(&[8..10])),
            ("bytes=-3", parts(&[7..10])),
            ("bytes=-99", parts(&[0..10])),
            ("bytes= 1 - 2 , 4-4", parts(&[1..3, 4..5])),
            ("bytes=4-4,1-2", parts(&[4..5, 1..3])),
            ("bytes=0-1,99-", parts(&[0..2])),
            ("bytes=0-9,0-9", Wanted::Whole),
            ("lines=0-1", Wanted::Whole),
            ("bytes", Wanted::Whole),
            ("", Wanted::Whole),
            ("bytes=", Wanted::Whole),
            ("bytes=- 5", Wanted::Nothing),
            ("bytes=10-", Wanted::Nothing),
            ("bytes=5-2", Wanted::Nothing),
            ("bytes=a-b", Wanted::Nothing),
            ("bytes=-", Wanted::Nothing),
            ("bytes=-0", Wanted::Nothing),
            ("bytes=99999999999999999999-", Wanted::Nothing),
        ] {
            assert_eq!(wanted(header, 10), expected, "{header}");
        }
        let many = |count: usize| format!("bytes={}", vec!["1-1"; count].join(","));
        assert_eq!(wanted(&many(1000), 1_000_000), Wanted::Whole);
        assert_eq!(wanted(&many(32), 1_000_000), parts(&vec![1..2; 32]));
    }

    proptest! {
        #[test]
        fn parts_are_within_and_not_more_than_the_whole(header in "bytes=[0-9, -]{0,40}", size in 0u64..200) {
            if let Wanted::Parts(parts) = wanted(&header, size) {
                prop_assert!(!parts.is_empty() && parts.len() <= MOST);
                prop_assert!(parts.iter().all(|part| part.start < part.end && part.end <= size));
                prop_assert!(parts.iter().map(|part| part.end - part.start).sum::<u64>() <= size);
            }
        }
    }
}
