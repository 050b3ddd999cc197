//! The classes that are counted in memory (GCRA, the same rule that the durable
//! buckets keep in SQL).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{PoisonError, RwLock};
use std::time::Duration;

use actix_web::http::header::{HeaderMap, HeaderName, HeaderValue};
use governor::clock::{Clock as _, DefaultClock};
use governor::middleware::StateInformationMiddleware;
use governor::state::keyed::DashMapStateStore;
use governor::{Quota, RateLimiter};
use parlour_http::{ApiError, Limit, Limits, RateClass};
use uuid::Uuid;

use super::caps::network;

const RATE_LIMIT: HeaderName = HeaderName::from_static("ratelimit");
const RATE_LIMIT_POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");

/// Who is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Key {
    User(Uuid),
    Address(IpAddr),
}

type Limiter = RateLimiter<Key, DashMapStateStore<Key>, DefaultClock, StateInformationMiddleware>;

/// One class with the figure that it was made for.
struct Bucket {
    limit: Limit,
    interval: Duration,
    burst: u32,
    policy: HeaderValue,
    limiter: Limiter,
}

/// All classes that the gateway counts.
pub(crate) struct Gate {
    figures: Limits,
    replicas: u32,
    most_keys: usize,
    crowded: AtomicBool,
    classes: [(RateClass, RwLock<Option<Bucket>>); 2],
}

/// What a request that was let through tells its sender.
#[derive(Clone)]
pub(crate) struct Admitted {
    policy: HeaderValue,
    state: HeaderValue,
}

impl Admitted {
    /// Adds the headers.
    pub(crate) fn tell(self, headers: &mut HeaderMap) {
        headers.insert(RATE_LIMIT_POLICY, self.policy);
        headers.insert(RATE_LIMIT, self.state);
    }
}

impl Gate {
    pub(crate) fn new(figures: Limits, replicas: u32, most_keys: usize) -> Self {
        let gate = Self {
            figures,
            replicas: replicas.max(1),
            most_keys,
            crowded: AtomicBool::new(false),
            classes: [RateClass::General, RateClass::Chat].map(|class| (class, RwLock::new(None))),
        };
        gate.refresh();
        gate
    }

    /// Takes over changed figures.
    pub(crate) fn refresh(&self) {
        let mut keys = 0;
        for (class, bucket) in &self.classes {
            let figure = self.figures.get(*class);
            let current = bucket.read().unwrap_or_else(PoisonError::into_inner);
            if current.as_ref().map(|bucket| bucket.limit) == figure {
                if let Some(bucket) = current.as_ref() {
                    keys += bucket.limiter.len();
                }
                continue;
            }
            drop(current);
            let fresh = figure.map(|limit| Bucket::new(*class, limit, self.replicas));
            *bucket.write().unwrap_or_else(PoisonError::into_inner) = fresh;
        }
        self.crowded.store(keys > self.most_keys, Ordering::Relaxed);
    }

    /// Forgets whose bucket is full again, which is what a missing one means too.
    pub(crate) fn forget(&self) {
        for (_, bucket) in &self.classes {
            if let Some(bucket) = &*bucket.read().unwrap_or_else(PoisonError::into_inner) {
                bucket.limiter.retain_recent();
                bucket.limiter.shrink_to_fit();
            }
        }
    }

    /// Counts one request. `None` when its class is not counted here.
    pub(crate) fn admit(&self, class: RateClass, key: Key) -> Result<Option<Admitted>, ApiError> {
        let Some((_, bucket)) = self.classes.iter().find(|(known, _)| *known == class) else {
            return Ok(None);
        };
        let bucket = bucket.read().unwrap_or_else(PoisonError::into_inner);
        let Some(bucket) = bucket.as_ref() else {
            return Ok(None);
        };
        bucket.take(class, self.counted(key))
    }

    /// While a flood of addresses is on they share what their network has, so
    /// that memory is bounded whatever strangers send.
    fn counted(&self, key: Key) -> Key {
        let crowded = self.crowded.load(Ordering::Relaxed);
        match key {
            Key::Address(IpAddr::V4(v4)) if crowded => {
                Key::Address(Ipv4Addr::from_bits(v4.to_bits() >> 16 << 16).into())
            }
            Key::Address(IpAddr::V6(v6)) if crowded => {
                Key::Address(Ipv6Addr::from_bits(v6.to_bits() >> 96 << 96).into())
            }
            Key::Address(address) => Key::Address(network(address)),
            user @ Key::User(_) => user,
        }
    }
}

impl Bucket {
    fn new(class: RateClass, limit: Limit, replicas: u32) -> Self {
        let interval = (limit.interval() * replicas).max(Duration::from_nanos(1));
        let burst = NonZeroU32::new(limit.burst / replicas).unwrap_or(NonZeroU32::MIN);
        let quota = Quota::with_period(interval).map_or(Quota::per_second(burst), |q| q.allow_burst(burst));
        Self {
            limit,
            interval,
            burst: burst.get(),
            policy: value(&limit.policy_header(class)),
            limiter: RateLimiter::dashmap(quota).with_middleware(),
        }
    }

    fn take(&self, class: RateClass, key: Key) -> Result<Option<Admitted>, ApiError> {
        match self.limiter.check_key(&key) {
            Ok(state) => {
                let remaining = state.remaining_burst_capacity();
                let used = self.burst.saturating_sub(remaining);
                Ok(Some(Admitted {
                    policy: self.policy.clone(),
                    state: value(&Limit::header(class, remaining, self.interval * used)),
                }))
            }
            Err(refused) => {
                metrics::counter!("parlour_rate_limited_total", "class" => class.name()).increment(1);
                let wait = refused.wait_time_from(self.limiter.clock().now());
                let state = Limit::header(class, 0, self.interval * self.burst);
                Err(ApiError::too_many_requests(wait)
                    .with_header("ratelimit-policy", self.limit.policy_header(class))
                    .with_header("ratelimit", state))
            }
        }
    }
}

/// Digits and quoted names are always a valid header.
fn value(text: &str) -> HeaderValue {
    HeaderValue::from_str(text).unwrap_or_else(|_| HeaderValue::from_static(""))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use parlour_http::LimitSettings;

    use super::*;

    fn figure(requests: u32, burst: u32) -> Limit {
        let seconds = 60;
        Limit {
            requests,
            seconds,
            burst,
        }
    }

    fn gate(replicas: u32) -> (Gate, Limits) {
        let table = BTreeMap::from([(RateClass::General, figure(60, 10))]);
        let limits = Limits::new(LimitSettings(table));
        (Gate::new(limits.clone(), replicas, 1000), limits)
    }

    fn admitted(gate: &Gate, key: Key) -> usize {
        (0..100)
            .take_while(|_| gate.admit(RateClass::General, key).is_ok())
            .count()
    }

    #[test]
    fn a_burst_passes_and_then_no_more() {
        let (gate, _) = gate(1);
        let (one, other) = (Key::User(Uuid::from_u128(1)), Key::User(Uuid::from_u128(2)));
        assert_eq!(admitted(&gate, one), 10);
        assert_eq!(admitted(&gate, other), 10);
        let refused = gate.admit(RateClass::General, one).err().unwrap();
        let wait = refused.retry_after.unwrap();
        assert!(
            wait > Duration::from_millis(500) && wait <= Duration::from_secs(1),
            "{wait:?}"
        );
    }

    #[test]
    fn replicas_share_and_changes_are_followed() {
        let (gate, limits) = gate(5);
        let key = Key::Address(IpAddr::from([1, 2, 3, 4]));
        assert_eq!(admitted(&gate, key), 2);
        limits.set(RateClass::General, figure(60, 30));
        gate.refresh();
        assert_eq!(admitted(&gate, key), 6);
        assert!(gate.admit(RateClass::Auth, key).unwrap().is_none());
    }

    #[test]
    fn a_flood_of_addresses_shares_a_limit() {
        let (gate, _) = gate(1);
        for n in 0..2000_u32 {
            let address = Ipv4Addr::from_bits(0x0a00_0000 | n);
            gate.admit(RateClass::General, Key::Address(address.into()))
                .unwrap();
        }
        gate.refresh();
        assert_eq!(admitted(&gate, Key::Address(IpAddr::from([10, 9, 0, 1]))), 10);
        assert_eq!(admitted(&gate, Key::Address(IpAddr::from([10, 9, 0, 2]))), 0);
    }
}
