//! How much is let in at the same time. What is above is shed before memory grows.

use std::collections::HashMap;
use std::hash::{BuildHasher as _, RandomState};
use std::net::{IpAddr, Ipv6Addr};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// Locks between which the addresses are divided.
const SHARDS: usize = 64;

/// A count, in total and per address.
pub(crate) struct Caps {
    most: usize,
    most_per_address: usize,
    total: AtomicUsize,
    addresses: Vec<Mutex<HashMap<IpAddr, usize>>>,
    hasher: RandomState,
}

/// One that was let in, until it is dropped.
pub(crate) struct Seat {
    caps: Arc<Caps>,
    address: IpAddr,
}

impl Caps {
    /// 0 for `most_per_address` is no cap.
    pub(crate) fn new(most: usize, most_per_address: usize) -> Arc<Self> {
        Arc::new(Self {
            most,
            most_per_address,
            total: AtomicUsize::new(0),
            addresses: (0..SHARDS).map(|_| Mutex::default()).collect(),
            hasher: RandomState::new(),
        })
    }

    /// Lets one in, or not.
    pub(crate) fn enter(self: &Arc<Self>, address: IpAddr) -> Option<Seat> {
        let address = network(address);
        // Counted first: the seat's drop takes both counts back.
        let total = self.total.fetch_add(1, Ordering::Relaxed) + 1;
        let of_address = self.change(address, |count| *count += 1);
        let seat = Seat {
            caps: self.clone(),
            address,
        };
        let crowded = self.most_per_address > 0 && of_address > self.most_per_address;
        (total <= self.most && !crowded).then_some(seat)
    }

    fn change(&self, address: IpAddr, change: impl FnOnce(&mut usize)) -> usize {
        #[expect(clippy::cast_possible_truncation, reason = "only the low bits are wanted")]
        let shard = self.hasher.hash_one(address) as usize % SHARDS;
        let Some(counts) = self.addresses.get(shard) else {
            return 0;
        };
        let mut counts = counts.lock().unwrap_or_else(PoisonError::into_inner);
        let count = counts.entry(address).or_default();
        change(count);
        let now = *count;
        if now == 0 {
            counts.remove(&address);
        }
        now
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.caps.total.fetch_sub(1, Ordering::Relaxed);
        self.caps
            .change(self.address, |count| *count = count.saturating_sub(1));
    }
}

/// Whom an address stands for: one subscriber has a whole /64 of IPv6.
pub(crate) fn network(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(v6) => Ipv6Addr::from_bits(v6.to_bits() >> 64 << 64).into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seats_are_given_back() {
        let caps = Caps::new(3, 2);
        let at = |last: u8| IpAddr::from([10, 0, 0, last]);
        let first = caps.enter(at(1));
        let second = caps.enter(at(1));
        assert!(first.is_some() && second.is_some());
        assert!(caps.enter(at(1)).is_none(), "two of an address");
        let other = caps.enter(at(2));
        assert!(other.is_some());
        assert!(caps.enter(at(3)).is_none(), "three in total");
        drop(first);
        assert!(caps.enter(at(1)).is_some());
        drop((second, other));
        assert_eq!(caps.total.load(Ordering::Relaxed), 0);
        assert!(
            caps.addresses
                .iter()
                .all(|shard| shard.lock().unwrap().is_empty())
        );
    }

    #[test]
    fn a_subscriber_of_ipv6_is_one() {
        let one: IpAddr = "2001:db8:1:2:3:4:5:6".parse().unwrap();
        assert_eq!(network(one).to_string(), "2001:db8:1:2::");
    }
}
