//! What of the open hours is still free.

use chrono::Duration;

use crate::domain::hours::Span;

/// `open` without `busy`; `open` is in order and apart.
pub fn free(open: &[Span], busy: &[Span]) -> Vec<Span> {
    let mut busy = busy.to_vec();
    busy.sort_unstable();
    let mut free = Vec::new();
    for span in open {
        let mut from = span.start;
        for taken in busy.iter().filter(|taken| taken.overlaps(span)) {
            if from < taken.start {
                free.push(Span {
                    start: from,
                    end: taken.start,
                });
            }
            from = from.max(taken.end);
        }
        if from < span.end {
            free.push(Span {
                start: from,
                end: span.end,
            });
        }
    }
    free
}

/// `free` cut into pieces of `length`, one after the other; what is too short is left out.
pub fn cut(free: &[Span], length: Duration) -> Vec<Span> {
    let mut slots = Vec::new();
    if length <= Duration::zero() {
        return slots;
    }
    for span in free {
        let mut start = span.start;
        while start + length <= span.end {
            let end = start + length;
            slots.push(Span { start, end });
            start = end;
        }
    }
    slots
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;
    use proptest::prelude::*;

    use super::*;

    fn spans() -> impl Strategy<Value = Vec<Span>> {
        let span = (0i64..1_000, 1i64..200).prop_map(|(start, length)| {
            let start = DateTime::from_timestamp(start * 60, 0).unwrap();
            Span {
                start,
                end: start + Duration::minutes(length),
            }
        });
        prop::collection::vec(span, 0..8)
    }

    fn apart(mut spans: Vec<Span>) -> Vec<Span> {
        spans.sort_unstable();
        let mut kept: Vec<Span> = Vec::new();
        for span in spans {
            if kept.last().is_none_or(|last| last.end < span.start) {
                kept.push(span);
            }
        }
        kept
    }

    proptest! {
        #[test]
        fn a_slot_is_open_free_and_of_its_length(open in spans(), busy in spans(), minutes in 1i64..90) {
            let open = apart(open);
            let length = Duration::minutes(minutes);
            let slots = cut(&free(&open, &busy), length);
            for slot in &slots {
                prop_assert_eq!(slot.end - slot.start, length);
                prop_assert!(open.iter().any(|span| span.contains(slot)));
                prop_assert!(!busy.iter().any(|taken| taken.overlaps(slot)));
            }
            for pair in slots.windows(2) {
                prop_assert!(pair[0].end <= pair[1].start);
            }
        }

        #[test]
        fn nothing_free_is_lost(open in spans(), busy in spans()) {
            let open = apart(open);
            let free = free(&open, &busy);
            for minute in 0..1_300i64 {
                let start = DateTime::from_timestamp(minute * 60, 0).unwrap();
                let one = Span { start, end: start + Duration::minutes(1) };
                let expected = open.iter().any(|span| span.contains(&one)) && !busy.iter().any(|t| t.overlaps(&one));
                prop_assert_eq!(free.iter().any(|span| span.contains(&one)), expected, "{}", minute);
            }
        }
    }
}
