//! A hash that is the same in every build and on every machine: lanes are chosen by it, so it must never change.

/// How many lanes an outbox has.
pub(crate) const LANES: i16 = 16;

/// FNV-1a, 64 bits.
pub(crate) fn fnv(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

/// The lane of an aggregate.
pub(crate) fn lane(aggregate: &str) -> i16 {
    i16::try_from(below(aggregate.as_bytes(), 16)).unwrap_or(0)
}

/// A number below `n`. The high bits are folded in, because FNV's low ones alone mix badly.
fn below(bytes: &[u8], n: usize) -> usize {
    let hash = fnv(bytes);
    let folded = (hash >> 32) ^ (hash & 0xffff_ffff);
    usize::try_from(folded).unwrap_or(0) % n.max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lanes_never_change() {
        assert_eq!(fnv(b""), 0xcbf2_9ce4_8422_2325);
        assert_eq!(fnv(b"foobar"), 0x8594_4171_f739_67e8);
        let lanes: Vec<i16> = (0..8).map(|i| lane(&format!("order:{i}"))).collect();
        assert!(lanes.iter().all(|l| (0..LANES).contains(l)));
    }

    #[test]
    fn lanes_are_used_evenly() {
        let mut counts = [0; 16];
        for i in 0..16_000 {
            counts[usize::try_from(lane(&format!("account:{i}"))).unwrap()] += 1;
        }
        assert!(counts.iter().all(|c| (800..1200).contains(c)), "{counts:?}");
    }
}
